"""What the sky puts between sun, ground and sensor, at the pixels of one window.

Clouds and haze are computed on the map's 20 m lattice and joined by straight lines; the finest
grain of a cloud is several times that. Both sensors use the same lattice, so they see the same sky.

A sensor that looks aslant sees a cloud before another place than the one below it (parallax), and
its bands look one after the other, so a cloud shows colour fringes along the flight path that
grow with its height; see `optics.Look.shift`.

Cloud tops are lit like hills: the top of a low cloud lies `_TOP` * ln(1 + thickness) metres above
its rim, half of its light comes from all around, half with the cosine of the sun's angle to that
top. High clouds of ice are flat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from nndacss.simulate.landscape import Ground
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.optics import Look
from nndacss.simulate.relief import open_sky
from nndacss.simulate.sky import Layer, Sky
from nndacss.simulate.table import Table, lattice

#: Metres between the points where the sky is computed.
STEP = 20.0

#: Layers from this height up, metres, are ice; lower ones are water.
ICE = 5000.0

#: Metres by which a cloud's top rises when its thickness grows from 0 to 1.7.
_TOP = 100.0


@dataclass(frozen=True)
class Cloud:
    """One layer as a band sees it."""

    thickness: Field
    """(rows, columns) optical thickness at 0.55 um before each pixel."""
    shade: Field
    """Brightness of its top relative to a flat one."""
    ice: bool
    absorption: float
    """See `sky.Layer`."""


@dataclass(frozen=True)
class Light:
    """What the sky does to some pixels; fields are (rows, columns)."""

    clouds: tuple[Cloud, ...]
    """From low to high."""
    slant: Field
    """Cloud optical thickness along the sun's beam to the ground."""
    dust: Field
    """Optical thickness of haze."""
    hills: Field
    """Share of the sun's beam that hills let through."""

    @property
    def thickness(self) -> Field:
        """Optical thickness of all clouds."""
        return self._sum(self.clouds)

    @property
    def low(self) -> Field:
        """That of clouds of water."""
        return self._sum(cloud for cloud in self.clouds if not cloud.ice)

    @property
    def high(self) -> Field:
        """That of clouds of ice."""
        return self._sum(cloud for cloud in self.clouds if cloud.ice)

    def _sum(self, clouds: Iterable[Cloud]) -> Field:
        total: Field = np.zeros_like(self.slant)
        for cloud in clouds:
            total += cloud.thickness
        return total

    def inner(self, margin: int) -> Light:
        """Without `margin` pixels on every side."""
        cut = (slice(margin, -margin),) * 2
        clouds = (
            replace(cloud, thickness=cloud.thickness[cut], shade=cloud.shade[cut])
            for cloud in self.clouds
        )
        return Light(tuple(clouds), self.slant[cut], self.dust[cut], self.hills[cut])


class Overcast:
    """The sky over one window, for all bands of one sensor."""

    def __init__(
        self,
        sky: Sky | None,
        sun: tuple[float, float],
        view: Look,
        box: tuple[Coordinates, Coordinates],
        ground: Ground | None = None,
    ) -> None:
        """`sky` has its layers, `sun` is its elevation and azimuth, `box` holds all pixels.

        The hills of `ground` take some of the sun's beam.
        """
        self._look = view
        self._layers: list[tuple[Layer, Table, Table | None]] = []
        self._below: tuple[Table, Table] | None = None
        self._hills: Table | None = None
        if sky is None:
            return
        x, y = lattice(box, [(0.0, 0.0)], STEP)
        slant = sky.slant(x[None, :], y[:, None], *sun)
        dust = sky.dust(x[None, :], y[:, None])
        self._below = Table(x, y, slant, STEP), Table(x, y, dust, STEP)
        self._hills = None if ground is None else open_sky(ground, sun, box)
        for layer in sorted(sky.layers, key=lambda layer: layer.height):
            if np.isfinite(layer.level):
                shifts = [view.shift(role, layer.height) for role in view.optics.delay]
                x, y = lattice(box, shifts, STEP)
                bulk = layer.thickness(_wider(x)[None, :], _wider(y)[:, None])
                top = Table(x, y, _lit(bulk, sun), STEP) if layer.height < ICE else None
                self._layers.append((layer, Table(x, y, bulk[1:-1, 1:-1], STEP), top))

    def light(self, role: str, x: Coordinates, y: Coordinates, below: Light | None = None) -> Light:
        """What `role` sees at pixel centres `x` (1, columns), `y` (rows, 1).

        `below` is what another band sees at the same pixels: what the sun does is the same.
        """
        clouds = []
        for layer, bulk, top in self._layers:
            east, north = self._look.shift(role, layer.height)
            at = x + east, y + north
            thickness = bulk.at(*at)
            shade = np.ones((1, 1), dtype=np.float32) if top is None else top.at(*at)
            shade = np.broadcast_to(shade, thickness.shape)
            clouds.append(Cloud(thickness, shade, layer.height >= ICE, layer.absorption))
        if below is not None:
            return replace(below, clouds=tuple(clouds))
        if self._below is None:
            none = np.zeros((y.size, x.size), dtype=np.float32)
            return Light((), none, none, none + 1)
        slant, dust = (table.at(x, y) for table in self._below)
        hills = np.ones_like(slant) if self._hills is None else self._hills.at(x, y)
        return Light(tuple(clouds), slant, dust, hills)


def _lit(thickness: Field, sun: tuple[float, float]) -> Field:
    """Brightness of cloud tops relative to flat ones, 0.5 to 1.5; one point less on every side."""
    up, around = np.radians(sun[0]), np.radians(sun[1])
    aside, level = np.float32(np.cos(up) / np.sin(up)), np.float32(0.5 / STEP)
    top = np.float32(_TOP) * np.log1p(thickness)
    to_east = (top[1:-1, 2:] - top[1:-1, :-2]) * level
    to_north = (top[2:, 1:-1] - top[:-2, 1:-1]) * level
    steep = np.sqrt(1 + to_east * to_east + to_north * to_north)
    to_sun = np.float32(np.sin(around)) * to_east + np.float32(np.cos(around)) * to_north
    facing = (1 - aside * to_sun) / steep
    result: Field = np.float32(0.5) + np.float32(0.5) * np.clip(facing, 0, 2)
    return result


def _wider(lattice: Coordinates) -> Coordinates:
    """One more point at both ends."""
    return np.concatenate([lattice[:1] - STEP, lattice, lattice[-1:] + STEP])
