"""What the sensor sees of a ground through a sky, one window at a time, as file contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate import radiometry
from nndacss.simulate.atmosphere import Air
from nndacss.simulate.landscape import Ground
from nndacss.simulate.noise import Coordinates, Field, normal
from nndacss.simulate.quality import REACH, Mask, Truth, snow_and_water, truth
from nndacss.simulate.sampling import Grid, Window, area_means, centres, halved, pan_centres
from nndacss.simulate.sky import Sky

Layers = dict[str, NDArray[Any]]
"""What goes into the files of one product, by band name."""

#: 30 m bands of Level 1, in band order from B1; B8 is pan, B9 follows.
BANDS = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")

#: Kelvin at the top of clouds.
_CLOUD_KELVIN = {"low": 272.0, "high": 228.0}


@dataclass(frozen=True)
class Light:
    """What the sky does over one window; pan fields are on its 15 m pixels."""

    low: Field
    high: Field
    slant: Field
    dust: Field

    def inner(self) -> Light:
        """Without the margin."""
        cut = slice(REACH, -REACH)
        return Light(*(part[cut, cut] for part in self._parts()))

    def pan(self, window: Window, grid: Grid) -> Light:
        """On the window's 15 m pixels."""
        cut = slice(REACH, 1 - REACH)
        return Light(*(halved(part[cut, cut], window, grid) for part in self._parts()))

    def _parts(self) -> tuple[Field, Field, Field, Field]:
        return self.low, self.high, self.slant, self.dust


@dataclass(frozen=True)
class View:
    """One scene, ready to be rendered."""

    grid: Grid
    ground: Ground
    sky: Sky | None
    """With its layers; None for no atmosphere at all."""
    sun_elevation: float
    sun_azimuth: float
    """Degrees."""
    spacecraft: int
    noise: int | None
    """Seed of the sensor's noise; None for none."""
    tilt: float | None
    """Degrees by which the swath is turned in its frame; None where it fills the frame."""

    def render(self, window: Window) -> tuple[Layers, Layers, Truth]:
        """File contents of Level 1 and Level 2 by name, and the truth, of one window."""
        bands, pan = area_means(self.ground, self.grid, window, BANDS)
        light = self._light(window)
        inner = light.inner()
        snow, water = snow_and_water(bands[2], bands[4], bands[5])
        fill = self._outside(*centres(self.grid, window))
        known = truth(light.low, light.high, inner.slant, snow, water, fill)
        tops = [
            self._top(role, band, inner, window) for role, band in zip(BANDS, bands, strict=True)
        ]
        cirrus = self._top("cirrus", np.zeros_like(bands[0]), inner, window)
        pan_top = self._top("pan", pan, light.pan(window, self.grid), window)
        pan_fill = self._outside(*pan_centres(self.grid, window))
        first: Layers = {
            **{f"B{n}": self._l1(band, fill) for n, band in enumerate(tops, 1)},
            "B8": self._l1(pan_top, pan_fill),
            "B9": self._l1(cirrus, fill),
        }
        second: Layers = {
            f"SR_B{n}": self._l2(role, top, fill)
            for n, (role, top) in enumerate(zip(BANDS, tops, strict=True), 1)
        }
        self._thermal(bands, inner, window, fill, first, second)
        self._quality(first, known, first, second)
        return first, second, known

    def _light(self, window: Window) -> Light:
        x, y = centres(self.grid, window.grown(REACH))
        if self.sky is None:
            none = np.zeros((y.size, x.size), dtype=np.float32)
            return Light(none, none, none, none)
        slant = self.sky.slant(x, y, self.sun_elevation, self.sun_azimuth)
        return Light(*self.sky.overhead(x, y), slant, self.sky.dust(x, y))

    @property
    def _air(self) -> Air | None:
        return None if self.sky is None else Air(self.sun_elevation, self.sky.haze)

    def _top(self, role: str, ground: Field, light: Light, window: Window) -> Field:
        """Reflectance at the top of the atmosphere, with noise."""
        top = ground
        if self._air is not None:
            below = self._air.below(role, ground, light.low, light.high, light.slant)
            top = self._air.top(role, below, light.dust)
        if self.noise is None:
            return top
        size = np.float32(radiometry.NOISE[role])
        spread = size * np.sqrt(np.maximum(top, np.float32(0.02)) * 10)
        noisy: Field = top + spread * self._grain(role, window, ground.shape)
        return noisy

    def _grain(self, role: str, window: Window, shape: tuple[int, ...]) -> Field:
        """(rows, columns) noise, a function of the pixel's place on the map."""
        fine = 2 if role == "pan" else 1
        left = round(self.grid.west / 30) + window.left
        top = round(-self.grid.north / 30) + window.top
        columns = np.arange(shape[1])[None, :] + fine * left
        rows = np.arange(shape[0])[:, None] + fine * top
        return normal(columns, rows, (self.noise or 0) * 31 + sum(role.encode()))

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
        sun = np.float64(np.sin(np.radians(self.sun_elevation)))
        counts = radiometry.counts(top * sun, radiometry.TOP_MULT, radiometry.TOP_ADD)
        return np.where(fill, np.uint16(0), counts)

    def _l2(self, role: str, top: Field, fill: Mask) -> NDArray[np.uint16]:
        surface = top if self._air is None else self._air.corrected(role, top)
        counts = radiometry.counts(surface, radiometry.SURFACE_MULT, radiometry.SURFACE_ADD)
        return np.where(fill, np.uint16(0), counts)

    def _thermal(
        self, bands: Field, light: Light, window: Window, fill: Mask, first: Layers, second: Layers
    ) -> None:
        """B10, B11 and ST_B10: ground, then low cloud, then high cloud, then warm moist air."""
        ground = radiometry.surface_temperature(bands[3], bands[4], bands[5], self.sun_elevation)
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
            if self.sky is not None:
                air = band.radiance(np.full((1, 1), 275, dtype=np.float32))
                radiance = np.float32(0.88) * radiance + np.float32(0.12) * air
            if self.noise is not None:
                grain = self._grain(f"lwir{number}", window, ground.shape)
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
        azimuth = (self.sun_azimuth + 180) % 360 - 180
        for name, degrees in (("SAA", azimuth), ("SZA", 90 - self.sun_elevation)):
            angle = np.int16(round(degrees * 100))
            first[name] = np.where(known.fill, np.int16(0), angle)
