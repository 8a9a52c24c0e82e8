"""What Proba-V sees of a world, on the pixels of its products.

A product's pixels are squares of longitude and latitude (plate carree): 1/336 degree ("333M"), a
third of it ("100M") or three times it ("1KM"). What the camera sees is computed on Landsat's 30 m
lattice, in Proba-V's bands, air, line of sight and moment; blurred by the camera's point spread;
sampled by cubic convolution at the 100 m pixels; given noise, calibration and saturation there;
and averaged to coarser pixels. The truth goes the same way, so it is a share of a pixel.

Nothing here knows of the physical transform from Landsat: weights of bands, sampling and radiometry
are the camera's own, so that what the transform leaves open can be measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.atmosphere import beam
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.probav_grid import PlateCarree
from nndacss.simulate.probav_optics import PROBAV, ROLES, SIGMA, Radiometry
from nndacss.simulate.quality import snow_and_water
from nndacss.simulate.sampling import Grid, Window, area_means, centres
from nndacss.simulate.seeing import REFERENCE, Eye
from nndacss.simulate.sky import CLOUD_THICKNESS, SHADOW_LOSS, Layer, Sky
from nndacss.simulate.spectra import ROLES as GROUND

#: Widest Gaussian that is kept, in sigma.
_CUT = 4.0

#: Metres of the lattice, and its variance as a square pixel: part of the point spread already.
_STEP, _SQUARE = 30.0, 30.0**2 / 12


@dataclass(frozen=True)
class ProbavSeen:
    """One window of a product, (rows, columns) each unless stated."""

    pixels: Field
    """(4, rows, columns) reflectance at the top of the atmosphere, in the order of `BANDS`."""
    saturated: NDArray[np.bool_]
    """(4, rows, columns): some of the pixel's light was cut off."""
    cloud: Field
    """Share of the pixel, as the red band sees it, that is cloud (see `quality.labels`)."""
    shadow: Field
    snow: Field
    """Also below clouds and in shadows."""
    water: Field

    def labels(self) -> NDArray[np.uint8]:
        """0 clear, 1 shadow, 2 snow, 3 cloud: what half of the pixel is; cloud over shadow."""
        parts = [self.cloud >= 0.5, self.shadow >= 0.5, self.snow >= 0.5]
        chosen: NDArray[np.uint8] = np.select(parts, [3, 1, 2], 0).astype(np.uint8)
        return chosen


@dataclass(frozen=True)
class ProbavView:
    """One Proba-V product, ready to be rendered."""

    grid: PlateCarree
    eye: Eye
    """Its optics are `PROBAV`."""
    lattice: Grid
    """Landsat's 30 m pixels in the map's projection; windows of it may lie outside."""
    radiometry: Radiometry
    width: float = 1.0
    """Width of the point spread, in `SIGMA`."""

    def seen(self, window: Window, ground: tuple[Window, Field] | None = None) -> ProbavSeen:
        """What the camera sees in a window of the product's pixels.

        `ground` (7, rows, columns) may be given where it is known: sharp means over the lattice's
        pixels in a window of them that holds `needed`.
        """
        place = self.grid.places(window, self.lattice.epsg)
        wide = self._wide(place)
        if ground is None:
            known, _ = area_means(self.eye.world.ground, self.lattice, wide, GROUND)
        else:
            held, means = ground
            down, across = wide.top - held.top, wide.left - held.left
            rows, columns = wide.bottom - wide.top, wide.right - wide.left
            known = means[:, down : down + rows, across : across + columns]
        tops, masks = self._sharp(wide, known)
        at = self._positions(place, wide)
        bands = [self._band(n, top, at, window) for n, top in enumerate(tops)]
        shares = [self._sampled(mask, "red", at) for mask in masks]
        cloud, shadow, snow, water = (
            np.clip(_means(share, self.grid.fine), 0, 1) for share in shares
        )
        return ProbavSeen(
            np.stack([band for band, _ in bands]),
            np.stack([cut for _, cut in bands]),
            cloud,
            shadow,
            snow,
            water,
        )

    @property
    def needed(self) -> Window:
        """The part of the lattice that the whole product looks at."""
        whole = Window(0, self.grid.rows, 0, self.grid.columns)
        return self._wide(self.grid.places(whole, self.lattice.epsg))

    def _positions(
        self, place: tuple[Coordinates, Coordinates], wide: Window
    ) -> tuple[Coordinates, Coordinates]:
        """Rows and columns of places in a window of the lattice, from its first pixel's centre."""
        x, y = place
        rows = (self.lattice.north - y) / _STEP - 0.5 - wide.top
        columns = (x - self.lattice.west) / _STEP - 0.5 - wide.left
        return rows, columns

    def _wide(self, place: tuple[Coordinates, Coordinates]) -> Window:
        """The part of the lattice that places look at."""
        rows, columns = self._positions(place, Window(0, 0, 0, 0))
        # the widest point spread, and two pixels for the cubic kernel
        reach = ceil(_CUT * self.width * max(SIGMA.values()) / _STEP) + 2
        return Window(
            floor(rows.min()) - reach,
            ceil(rows.max()) + reach + 1,
            floor(columns.min()) - reach,
            ceil(columns.max()) + reach + 1,
        )

    def _sharp(self, wide: Window, ground: Field) -> tuple[list[Field], list[Field]]:
        """Each band, and cloud, shadow, snow and water as 0 or 1, on the lattice."""
        still = replace(self.eye, noise=None)
        at = centres(self.lattice, wide)
        sky = still.overcast(*at)
        light = sky.light(REFERENCE, *at)
        tops = [
            still.top(role, _mixed(role, ground), sky.light(role, *at, light), (0, 0))
            for role in ROLES
        ]
        green, nir, swir = (ground[GROUND.index(name)] for name in ("green", "nir08", "swir16"))
        snow, water = snow_and_water(green, nir, swir)
        shadow = 1 - beam(light.slant) >= SHADOW_LOSS
        masks = (light.thickness >= CLOUD_THICKNESS, shadow, snow, water)
        return tops, [mask.astype(np.float32) for mask in masks]

    def _sampled(self, sharp: Field, role: str, at: tuple[Coordinates, Coordinates]) -> Field:
        """A field of the lattice through a band's point spread at 100 m pixels."""
        from scipy.ndimage import gaussian_filter

        sigma = np.sqrt((self.width * SIGMA[role]) ** 2 - _SQUARE) / _STEP
        return _cubic(gaussian_filter(sharp, sigma, mode="nearest", truncate=_CUT), *at)

    def _band(
        self, number: int, top: Field, at: tuple[Coordinates, Coordinates], window: Window
    ) -> tuple[Field, NDArray[np.bool_]]:
        """One band on the product's pixels, and where light was cut off."""
        role = ROLES[number]
        fine = self._sampled(top, role, at)
        if self.eye.noise is not None:
            size = np.float32(PROBAV.noise[role])
            spread = size * np.sqrt(np.maximum(fine, np.float32(0.02)) * 10)
            fine = fine + spread * self.eye.grain(role, self.grid.corner(window), fine.shape)
        up = np.sin(np.radians(self.eye.world.sun_elevation))
        most = np.float32(self.radiometry.full[number] / up)
        cut = _means((fine > most).astype(np.float32), self.grid.fine) > 0
        seen = np.minimum(fine, most) * np.float32(self.radiometry.gain[number])
        return _means(seen, self.grid.fine), cut


@dataclass(frozen=True)
class Drifting(Layer):
    """A layer of clouds that the wind has carried on."""

    east: float = 0.0
    north: float = 0.0
    """Metres."""

    def field(self, x: Coordinates, y: Coordinates) -> Field:
        """The fractal field p of where the clouds were."""
        return super().field(x - self.east, y - self.north)


def drifted(sky: Sky, east: float, north: float) -> Sky:
    """The sky some time later: its clouds that many metres on, its haze as it was."""
    layers = tuple(Drifting(**vars(layer), east=east, north=north) for layer in sky.layers)
    return replace(sky, layers=layers)


def _mixed(role: str, ground: Field) -> Field:
    """A band's ground out of Landsat's bands (7, rows, columns)."""
    total: Field = np.zeros_like(ground[0])
    for name, weight in PROBAV.weights[role].items():
        total += np.float32(weight) * ground[GROUND.index(name)]
    return total


def _means(field: Field, size: int) -> Field:
    """Means over squares of `size` pixels, in one fixed order."""
    if size == 1:
        return field
    total: Field = np.zeros((field.shape[0] // size, field.shape[1] // size), dtype=np.float32)
    for down in range(size):
        for across in range(size):
            total += field[down::size, across::size]
    total *= np.float32(1 / size**2)
    return total


def _cubic(field: Field, rows: Coordinates, columns: Coordinates) -> Field:
    """A field at positions in pixels from its first pixel's centre, by Keys' kernel (a = -0.5)."""
    (row, down), (column, across) = _taps(rows), _taps(columns)
    flat, width = field.ravel(), field.shape[1]
    total: Field = np.zeros(rows.shape, dtype=np.float32)
    for n, weight in enumerate(down):
        line: Field = np.zeros(rows.shape, dtype=np.float32)
        for m, share in enumerate(across):
            line += share * flat.take((row + n) * width + column + m)
        total += weight * line
    return total


def _taps(at: Coordinates) -> tuple[NDArray[np.int64], tuple[Field, ...]]:
    """First of four pixels around a position, and their weights."""
    number = np.floor(at)
    t = (at - number).astype(np.float32)
    weights = (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    return number.astype(np.int64) - 1, weights
