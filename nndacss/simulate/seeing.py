"""What any sensor here does alike: ground and sky of one moment to one noisy band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nndacss.simulate.atmosphere import Air
from nndacss.simulate.clouds import Light, Overcast
from nndacss.simulate.landscape import Ground, Landscape
from nndacss.simulate.noise import Coordinates, Field, normal
from nndacss.simulate.optics import Look
from nndacss.simulate.sky import Sky
from nndacss.simulate.spectra import ROLES

#: The band whose moment and line of sight define where a cloud is: see `optics.Optics.delay`.
REFERENCE = "green"


@dataclass(frozen=True)
class World:
    """One moment of one place."""

    ground: Ground
    sky: Sky | None
    """With its layers; None for no atmosphere at all."""
    sun_elevation: float
    sun_azimuth: float
    """Degrees."""

    @classmethod
    def made(
        cls,
        seed: int,
        bounds: tuple[float, float, float, float],
        sun: tuple[float, float],
        cover: float,
        ground: Ground | None,
        sky: Sky | Literal["drawn"] | None,
    ) -> World:
        """What is not given is drawn from the seed; a drawn sky has its `cover` over `bounds`.

        `sun` is elevation and azimuth. A sky that has its layers is taken as it is.
        """
        if sky == "drawn":
            sky = Sky(seed, cover)
        if sky is not None and not sky.layers:
            sky = sky.over(bounds)
        return cls(Landscape(seed, *sun) if ground is None else ground, sky, *sun)


@dataclass(frozen=True)
class Eye:
    """One sensor over one world."""

    world: World
    look: Look
    noise: int | None
    """Seed of the sensor's noise; None for none."""

    def overcast(self, x: Coordinates, y: Coordinates) -> Overcast:
        """The sky before the pixels of a window, `x` (1, columns) and `y` (rows, 1) around them."""
        sun = self.world.sun_elevation, self.world.sun_azimuth
        return Overcast(self.world.sky, sun, self.look, (x, y), self.world.ground)

    def ground(self, role: str, means: Field, metres: int) -> Field:
        """The ground of one band, unsharp as the sensor is.

        `means` (7, rows + 2, columns + 2) are means over pixels of `metres` in the bands of
        `spectra.ROLES`, with one pixel more on every side than the result. The cirrus band sees
        no ground.
        """
        if role == "cirrus":
            return np.zeros_like(means[0, 1:-1, 1:-1])
        mixed: Field | None = None
        for name, weight in self.look.optics.weights.get(role, {role: 1.0}).items():
            part = means[ROLES.index(name)]
            part = part if weight == 1.0 else part * np.float32(weight)
            mixed = part if mixed is None else mixed + part
        if mixed is None:
            raise KeyError(role)
        return self.unsharp(mixed, metres)

    def unsharp(self, sharp: Field, metres: int) -> Field:
        """A field less one pixel on every side, each pixel mixed with its four neighbours."""
        share = self.look.optics.spread[metres]
        side, own = np.float32(share), np.float32(1 - 2 * share)
        tall: Field = side * (sharp[:-2] + sharp[2:]) + own * sharp[1:-1]
        result: Field = side * (tall[:, :-2] + tall[:, 2:]) + own * tall[:, 1:-1]
        return result

    def air(self) -> Air | None:
        """The clear air; None where there is none."""
        if self.world.sky is None:
            return None
        return Air(self.world.sun_elevation, self.world.sky.haze, self.look.optics.sensor)

    def top(self, role: str, ground: Field, light: Light, corner: tuple[int, int]) -> Field:
        """Reflectance at the top of the atmosphere, with noise.

        `corner` is the row and column of the first pixel, counted from the map's origin: noise
        belongs to a place on the map.
        """
        top, air = ground, self.air()
        if air is not None:
            top = air.top(role, air.below(role, ground, light), light.dust)
        if self.noise is None:
            return top
        size = np.float32(self.look.optics.noise[role])
        spread = size * np.sqrt(np.maximum(top, np.float32(0.02)) * 10)
        noisy: Field = top + spread * self.grain(role, corner, ground.shape)
        return noisy

    def grain(self, role: str, corner: tuple[int, int], shape: tuple[int, ...]) -> Field:
        """(rows, columns) noise of mean 0 and variance 1, a function of the place on the map."""
        columns = np.arange(shape[1])[None, :] + corner[1]
        rows = np.arange(shape[0])[:, None] + corner[0]
        seed = (self.noise or 0) * 31 + sum(role.encode()) + self.look.optics.salt
        return normal(columns, rows, seed)

    def surface(self, role: str, top: Field) -> Field:
        """What a surface product's maker makes of it."""
        air = self.air()
        return top if air is None else air.corrected(role, top)
