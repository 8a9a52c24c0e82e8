"""What Landsat sees of a world, one window at a time, as reflectance and as file contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate import radiometry
from nndacss.simulate.clouds import Light
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.quality import REACH, Mask, Truth, snow_and_water, truth
from nndacss.simulate.sampling import Grid, Window, area_means, centres, pan_centres
from nndacss.simulate.seeing import REFERENCE, Eye
from nndacss.simulate.spectra import ROLES as BANDS

Layers = dict[str, NDArray[Any]]
"""What goes into the files of one product, by band name; 30 m bands follow `spectra.ROLES`."""

#: Kelvin at the top of clouds.
_CLOUD_KELVIN = {"low": 272.0, "high": 228.0}


@dataclass(frozen=True)
class Seen:
    """One window as the sensor sees it, (rows, columns) each unless stated."""

    tops: dict[str, Field]
    """role -> reflectance at the top of the atmosphere, pan on its 15 m pixels."""
    ground: Field
    """(7, rows, columns) surface reflectance without sky, sharp."""
    light: Light
    """What the reference band sees, with `REACH` pixels more on every side."""

    @property
    def inner(self) -> Light:
        """The light without its margin."""
        return self.light.inner(REACH)


@dataclass(frozen=True)
class View:
    """One Landsat scene, ready to be rendered."""

    grid: Grid
    eye: Eye
    spacecraft: int
    tilt: float | None
    """Degrees by which the swath is turned in its frame; None where it fills the frame."""

    def seen(self, window: Window, roles: Sequence[str]) -> Seen:
        """What the sensor sees in the bands of `roles`, in floating point."""
        eye, grid = self.eye, self.grid
        bands, pan = area_means(eye.world.ground, grid, window.grown(1), BANDS)
        wide, at = centres(grid, window.grown(REACH)), centres(grid, window)
        sky = eye.overcast(*wide)
        light, corner = sky.light(REFERENCE, *wide), grid.corner(window)
        below = light.inner(REACH)
        tops: dict[str, Field] = {}
        for role in roles:
            if role != "pan":
                ground = eye.ground(role, bands, 30)
                tops[role] = eye.top(role, ground, sky.light(role, *at, below), corner)
        if "pan" in roles:
            at = pan_centres(grid, window)
            shape = at[1].size, at[0].size
            ground = eye.unsharp(pan, 15)[1 : 1 + shape[0], 1 : 1 + shape[1]]
            tops["pan"] = eye.top("pan", ground, sky.light("pan", *at), grid.corner(window, 2))
        return Seen(tops, bands[:, 1:-1, 1:-1], light)

    def truth(self, window: Window, seen: Seen) -> Truth:
        """What is there."""
        snow, water = snow_and_water(seen.ground[2], seen.ground[4], seen.ground[5])
        fill = self._outside(*centres(self.grid, window))
        return truth(seen.light.low, seen.light.high, seen.inner.slant, snow, water, fill)

    def render(self, window: Window) -> tuple[Layers, Layers, Truth, Field]:
        """File contents of Level 1 and Level 2 by name, the truth, and cloud thickness."""
        seen = self.seen(window, (*BANDS, "pan", "cirrus"))
        known = self.truth(window, seen)
        fill, tops = known.fill, seen.tops
        pan_fill = self._outside(*pan_centres(self.grid, window))
        first: Layers = {
            **{f"B{n}": self._l1(tops[role], fill) for n, role in enumerate(BANDS, 1)},
            "B8": self._l1(tops["pan"], pan_fill),
            "B9": self._l1(tops["cirrus"], fill),
        }
        second: Layers = {
            f"SR_B{n}": self._l2(role, tops[role], fill) for n, role in enumerate(BANDS, 1)
        }
        self._thermal(seen.ground, seen.inner, window, fill, first, second)
        self._quality(first, known, first, second)
        return first, second, known, seen.inner.thickness

    def _outside(self, x: Coordinates, y: Coordinates) -> Mask:
        """Beyond the swath: a square turned by `tilt` that just fits its frame."""
        if self.tilt is None:
            return np.zeros((y.size, x.size), dtype=np.bool_)
        west, south, east, north = self.grid.bounds
        turn = np.radians(self.tilt)
        half = 0.5 / (np.cos(turn) + np.sin(turn))
        right = (x - (west + east) / 2) / (east - west)
        up = (y - (south + north) / 2) / (north - south)
        across, along = (
            right * np.cos(turn) - up * np.sin(turn),
            right * np.sin(turn) + up * np.cos(turn),
        )
        result: Mask = (np.abs(across) > half) | (np.abs(along) > half)
        return result

    def _l1(self, top: Field, fill: Mask) -> NDArray[np.uint16]:
        sun = np.float64(np.sin(np.radians(self.eye.world.sun_elevation)))
        counts = radiometry.counts(top * sun, radiometry.TOP_MULT, radiometry.TOP_ADD)
        return np.where(fill, np.uint16(0), counts)

    def _l2(self, role: str, top: Field, fill: Mask) -> NDArray[np.uint16]:
        surface = self.eye.surface(role, top)
        counts = radiometry.counts(surface, radiometry.SURFACE_MULT, radiometry.SURFACE_ADD)
        return np.where(fill, np.uint16(0), counts)

    def _thermal(
        self, bands: Field, light: Light, window: Window, fill: Mask, first: Layers, second: Layers
    ) -> None:
        """B10, B11 and ST_B10: ground, then low cloud, then high cloud, then warm moist air."""
        world = self.eye.world
        ground = radiometry.surface_temperature(bands[3], bands[4], bands[5], world.sun_elevation)
        for number, band in zip((10, 11), radiometry.thermal(self.spacecraft), strict=True):
            radiance = band.radiance(ground)
            for name, thickness in (("low", light.low), ("high", light.high)):
                clear = np.exp(np.float32(-0.6) * thickness)
                cloud = band.radiance(np.full((1, 1), _CLOUD_KELVIN[name], dtype=np.float32))
                radiance = clear * radiance + (1 - clear) * cloud
            if number == 10:
                counts = radiometry.counts(
                    band.kelvin(radiance), radiometry.KELVIN_MULT, radiometry.KELVIN_ADD
                )
                second["ST_B10"] = np.where(fill, np.uint16(0), counts)
            if world.sky is not None:
                air = band.radiance(np.full((1, 1), 275, dtype=np.float32))
                radiance = np.float32(0.88) * radiance + np.float32(0.12) * air
            if self.eye.noise is not None:
                grain = self.eye.grain(f"lwir{number}", self.grid.corner(window), ground.shape)
                radiance = radiance + np.float32(radiometry.THERMAL_NOISE) * grain
            counts = radiometry.counts(radiance, band.mult, band.add)
            first[f"B{number}"] = np.where(fill, np.uint16(0), counts)

    def _quality(self, bands: Layers, known: Truth, first: Layers, second: Layers) -> None:
        """QA_PIXEL and QA_RADSAT (bit n-1: band n saturated) of both, aerosol and sun angles."""
        saturated = np.zeros(known.fill.shape, dtype=np.uint16)
        for number in (1, 2, 3, 4, 5, 6, 7, 9):
            saturated |= (bands[f"B{number}"] == 65535).astype(np.uint16) << np.uint16(number - 1)
        first["QA_PIXEL"] = second["QA_PIXEL"] = known.pixel_bits()
        first["QA_RADSAT"] = second["QA_RADSAT"] = saturated
        second["SR_QA_AEROSOL"] = known.aerosol_bits()
        world = self.eye.world
        azimuth = (world.sun_azimuth + 180) % 360 - 180
        for name, degrees in (("SAA", azimuth), ("SZA", 90 - world.sun_elevation)):
            angle = np.int16(round(degrees * 100))
            first[name] = np.where(known.fill, np.int16(0), angle)
