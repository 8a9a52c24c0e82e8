"""What Sentinel-2 sees of a world, one window of 60 m pixels at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.clouds import Light, Overcast
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.optics import SENTINEL2
from nndacss.simulate.quality import (
    CLOUD,
    FILL,
    SHADOW,
    SNOW,
    THIN,
    Mask,
    labels,
    snow_and_water,
)
from nndacss.simulate.sampling import Grid, Window, centres, coarser, tens
from nndacss.simulate.seeing import REFERENCE, Eye
from nndacss.simulate.spectra import ROLES

#: Metres per pixel of a scene's grid; bands have 10, 20 or 60.
BASE = 60

#: Counts per unit of reflectance.
QUANTIFICATION = 10_000

#: Degrees by which the edge of the swath is turned in a tile.
_TURN = 13.0


@dataclass(frozen=True)
class MsiSeen:
    """One window as the sensor sees it."""

    tops: dict[str, Field]
    """role -> (rows, columns) reflectance at the top of the atmosphere, native pixels."""
    light: Light
    """What the reference band sees, 10 m."""
    labels: NDArray[np.uint8]
    """The truth, 10 m: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 fill."""
    snow: Mask
    water: Mask
    plants: Mask
    """Of the ground without sky, 10 m."""


@dataclass(frozen=True)
class MsiView:
    """One Sentinel-2 tile, ready to be rendered."""

    grid: Grid
    """In 60 m pixels."""
    eye: Eye
    swath: float = 1.0
    """Share of the tile's middle line, from the west, that the swath covers; 1 covers all."""

    def seen(self, window: Window, roles: Sequence[str]) -> MsiSeen:
        """What the sensor sees in the bands of `roles`, in floating point."""
        eye, grid = self.eye, self.grid
        fine = tens(eye.world.ground, grid, window.grown(1), ROLES)
        at = centres(grid, window, 6)
        sky = eye.overcast(*at)
        light = sky.light(REFERENCE, *at)
        tops: dict[str, Field] = {}
        for metres in (10, 20, 60):
            named = [r for r in roles if SENTINEL2.sensor.band(r).metres == metres]
            if named:
                tops |= self._tops(named, metres, fine, window, sky)
        cut = (slice(None), slice(6, -6), slice(6, -6))
        ground = dict(zip(ROLES, fine[cut], strict=True))
        snow, water = snow_and_water(ground["green"], ground["nir08"], ground["swir16"])
        plants = ground["nir08"] - ground["red"] > 0.4 * (ground["nir08"] + ground["red"])
        known = labels(light.thickness, light.slant, snow, self.outside(*at))
        return MsiSeen(tops, light, known, snow, water, plants & ~snow)

    def _tops(
        self, roles: Sequence[str], metres: int, fine: Field, window: Window, sky: Overcast
    ) -> dict[str, Field]:
        """All bands of one resolution."""
        parts = BASE // metres
        means = coarser(fine, metres // 10)
        margin = slice(parts - 1, 1 - parts or None)
        means = means[:, margin, margin]
        at = centres(self.grid, window, parts)
        below = sky.light(REFERENCE, *at)
        corner = self.grid.corner(window, parts)
        return {
            role: self.eye.top(
                role, self.eye.ground(role, means, metres), sky.light(role, *at, below), corner
            )
            for role in roles
        }

    def outside(self, x: Coordinates, y: Coordinates) -> Mask:
        """Beyond the eastern edge of the swath."""
        west, south, east, north = self.grid.bounds
        if self.swath >= 1:
            return np.zeros((y.size, x.size), dtype=np.bool_)
        slope = np.tan(np.radians(_TURN))
        edge = west + self.swath * (east - west) + (y - (south + north) / 2) * slope
        result: Mask = x > edge
        return result


def counts(value: Field, offset: int, fill: Mask) -> NDArray[np.uint16]:
    """The nearest count for a reflectance, 1 to 65534; 0 is fill and 65535 saturated."""
    scaled = np.rint(value.astype(np.float64) * QUANTIFICATION) - offset
    return np.where(fill, 0, np.clip(scaled, 1, 65534)).astype(np.uint16)


def scene_classes(seen: MsiSeen) -> NDArray[np.uint8]:
    """(rows, columns) SCL at 20 m out of the truth at 10 m; any cloud pixel makes it cloud.

    0 no data, 3 shadow, 4 plants, 5 bare, 6 water, 8 thin cloud, 9 thick cloud, 10 thin cirrus,
    11 snow.
    """

    def any_of(mask: Mask) -> Mask:
        found: Mask = coarser(mask[None].astype(np.float32), 2)[0] > 0
        return found

    light, known = seen.light, seen.labels
    thick, ice = (coarser(part[None], 2)[0] for part in (light.thickness, light.high))
    cloud = any_of(known == CLOUD)
    return np.select(
        [
            any_of(known == FILL),
            cloud & (thick < THIN) & (2 * ice > thick),
            cloud & (thick < THIN),
            cloud,
            any_of(known == SHADOW),
            any_of(known == SNOW),
            any_of(seen.water),
            any_of(seen.plants),
        ],
        [0, 10, 8, 9, 3, 11, 6, 4],
        5,
    ).astype(np.uint8)
