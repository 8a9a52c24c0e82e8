"""Resampling: a band goes from its own grid to another one, once.

Two roads, one result. Grids that are north-up in the same CRS (nearly every Landsat scene on a
UTM grid) are resampled by two small matrix products per band, rows then columns: a separable
kernel needs no coordinates per pixel, which is about ten times faster than a general warp. All
other grids go through GDAL's warper. Both use the same kernels (cubic convolution with a = -0.5,
Keys 1981, as GDAL does; `average` is the area-weighted mean) and the same rule for missing pixels:

- an output pixel is missing where the source pixel that holds its centre is missing or absent
  (`average`: where less than half of its area is present);
- where some of the cubic kernel's pixels are missing, the bilinear mean of the present ones is
  taken (positive weights only: renormalised cubic weights may divide by nearly nothing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import reproject

from nndacss.errors import GridError
from nndacss.raster import Pixels

Kernel = Literal["bilinear", "cubic", "average"]
#: Output pixels of an axis that are computed by one matrix product: of 32 to 128 the fastest.
_STRIP = 64
_GDAL = {
    "bilinear": Resampling.bilinear,
    "cubic": Resampling.cubic,
    "average": Resampling.average,
}


@dataclass(frozen=True)
class Axis:
    """Where the output pixels of one axis lie among the source pixels."""

    start: float
    """Centre of output pixel 0 in source pixels; 0 is the first source pixel's outer edge."""
    step: float
    """Source pixels per output pixel."""
    count: int
    """Output pixels."""
    size: int
    """Source pixels."""

    @property
    def centres(self) -> NDArray[np.float64]:
        """(count,) centres of the output pixels in source pixels."""
        return self.start + self.step * np.arange(self.count, dtype=np.float64)

    @property
    def index(self) -> NDArray[np.intp]:
        """(count,) the source pixel that holds each centre; -1 where there is none."""
        index = np.floor(self.centres + 1e-6).astype(np.intp)
        return np.where((index >= 0) & (index < self.size), index, -1)

    @lru_cache(maxsize=32)  # noqa: B019 - axes are values, and a lattice has few of them
    def weights(self, kernel: Kernel) -> Pixels:
        """(count, size) float32; a row sums to 1 where its whole kernel lies inside.

        Kept and shared: not to be written to.
        """
        distance = np.abs(self.centres[:, None] - (np.arange(self.size) + 0.5)[None, :])
        if kernel == "average":
            overlap = np.clip((self.step + 1) / 2 - distance, 0.0, min(self.step, 1.0))
            return (overlap / self.step).astype(np.float32)
        if kernel == "bilinear":
            return np.maximum(0.0, 1.0 - distance).astype(np.float32)
        near = (1.5 * distance - 2.5) * distance**2 + 1.0
        far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
        table = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
        return table.astype(np.float32)


#: False northing of the southern UTM zones, metres; else a zone's two CRS are the same.
_SOUTH = 10_000_000


def northern(grid: GeoBox) -> GeoBox:
    """A grid in a southern UTM zone as one in the northern zone, negative northings; else itself.

    Landsat gives southern scenes in northern zones, Sentinel-2 in southern ones.
    """
    epsg = grid.crs.epsg if grid.crs is not None else None
    if epsg is None or not 32701 <= epsg <= 32760:
        return grid
    shift = Affine.translation(0, -_SOUTH)
    return GeoBox(grid.shape, shift @ grid.affine, f"EPSG:{epsg - 100}")


def separable(src: GeoBox, dst: GeoBox) -> bool:
    """Whether both grids are north-up in the same CRS, so that axes do not mix."""
    src, dst = northern(src), northern(dst)
    return (
        src.crs == dst.crs
        and not any((src.affine.b, src.affine.d, dst.affine.b, dst.affine.d))
        and src.affine.a > 0 > src.affine.e
        and dst.affine.a > 0 > dst.affine.e
    )


def axes(src: GeoBox, dst: GeoBox) -> tuple[Axis, Axis]:
    """Rows and columns of `dst` among those of `src`, for separable grids."""
    move = ~northern(src).affine @ northern(dst).affine
    return (
        Axis(_steady(move.f + 0.5 * move.e), move.e, dst.shape[0], src.shape[0]),
        Axis(_steady(move.c + 0.5 * move.a), move.a, dst.shape[1], src.shape[1]),
    )


def _steady(value: float) -> float:
    """Without the noise of float arithmetic, so that equal windows have equal axes."""
    return round(value, 9)


def source_window(src: GeoBox, dst: GeoBox, margin: int = 3) -> tuple[slice, slice]:
    """Rows and columns of `src` that `dst` needs, `margin` pixels around, clipped to `src`.

    Empty slices (start == stop) where the two do not meet. The default margin covers every
    kernel here.
    """
    if separable(src, dst):
        move = ~northern(src).affine @ northern(dst).affine
        corners = [move @ at for at in ((0, 0), dst.shape[::-1])]
    else:
        if src.crs is None or dst.crs is None:
            raise GridError("a grid without CRS cannot be warped; give both grids a CRS")
        box = dst.footprint(src.crs, buffer=0, npoints=64).boundingbox
        corners = [
            ~src.affine @ (x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)
        ]
    columns, rows = zip(*corners, strict=True)
    return _clip(rows, src.shape[0], margin), _clip(columns, src.shape[1], margin)


def _clip(positions: tuple[float, ...], size: int, margin: int) -> slice:
    first = min(max(math.floor(min(positions)) - margin, 0), size)
    last = min(max(math.ceil(max(positions)) + margin, first), size)
    return slice(first, last)


def warp(pixels: Pixels, src: GeoBox, dst: GeoBox, kernel: Kernel = "cubic") -> Pixels:
    """Bands on `src` to the same bands on `dst`.

    `pixels` is (bands, rows, columns) float32 with NaN where missing; so is the result. Units
    do not matter. For codes and bit fields use `nearest`.
    """
    _check(pixels, src)
    if 0 in pixels.shape[1:]:
        return np.full((pixels.shape[0], *dst.shape), np.nan, dtype=np.float32)
    if not separable(src, dst):
        result = _gdal(pixels, src, dst, _GDAL[kernel], float("nan"))
        if kernel == "average":
            return result
        holds = nearest((~np.isnan(pixels)).astype(np.uint8), src, dst, 0)
        return np.where(holds > 0, result, np.float32(np.nan))
    rows, columns = axes(src, dst)
    return np.stack([_warp_band(band, rows, columns, kernel) for band in pixels])


def nearest(codes: NDArray[Any], src: GeoBox, dst: GeoBox, fill: int) -> NDArray[Any]:
    """Codes (bit fields, labels) on `src` to `dst`, by the pixel that holds each centre.

    `codes` is (bands, rows, columns) of any integer dtype; so is the result, `fill` outside.
    """
    _check(codes, src)
    if 0 in codes.shape[1:]:
        return np.full((codes.shape[0], *dst.shape), fill, dtype=codes.dtype)
    if not separable(src, dst):
        return _gdal(codes, src, dst, Resampling.nearest, fill)
    rows, columns = axes(src, dst)
    inside = (rows.index >= 0)[:, None] & (columns.index >= 0)[None, :]
    taken = codes[:, rows.index[:, None], columns.index[None, :]]
    return np.where(inside, taken, np.array(fill, dtype=codes.dtype))


def _check(pixels: NDArray[Any], src: GeoBox) -> None:
    if pixels.shape[1:] != tuple(src.shape):
        raise GridError(f"pixels are {pixels.shape[1:]}; expected {tuple(src.shape)}, their grid")


def _warp_band(band: Pixels, rows: Axis, columns: Axis, kernel: Kernel) -> Pixels:
    """One band: the plain product where all pixels are there, the careful one where not."""
    down, across = rows.weights(kernel), columns.weights(kernel)
    whole = all(np.abs(table.sum(axis=1) - 1).max() < 1e-5 for table in (down, across))
    if whole and not np.isnan(band).any():
        return _apply(down, band, across)
    return _warp_gaps(band, rows, columns, kernel)


def _warp_gaps(band: Pixels, rows: Axis, columns: Axis, kernel: Kernel) -> Pixels:
    """One band with missing pixels, by the rule in the module's docstring."""
    there = (~np.isnan(band)).astype(np.float32)
    filled = np.where(there > 0, band, np.float32(0))
    mean: Kernel = "average" if kernel == "average" else "bilinear"
    down, across = rows.weights(mean), columns.weights(mean)
    share = _apply(down, there, across)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = _apply(down, filled, across) / share
    if kernel == "average":
        return np.where(share >= 0.5 - 1e-6, result, np.float32(np.nan))
    if kernel == "cubic":
        down, across = rows.weights("cubic"), columns.weights("cubic")
        touched = [(table != 0).astype(np.float32) for table in (down, across)]
        missing = _apply(touched[0], 1 - there, touched[1])
        beyond = _beyond(down)[:, None] | _beyond(across)[None, :]
        result = np.where((missing < 0.5) & ~beyond, _apply(down, filled, across), result)
    holds = there[rows.index[:, None], columns.index[None, :]] > 0
    inside = (rows.index >= 0)[:, None] & (columns.index >= 0)[None, :]
    return np.where(holds & inside, result, np.float32(np.nan)).astype(np.float32)


def _apply(down: Pixels, band: Pixels, across: Pixels) -> Pixels:
    """Rows, then columns; in strips, whose kernels reach but a few source pixels."""
    middle = np.empty((len(down), band.shape[1]), dtype=np.float32)
    for strip, reached in _strips(down):
        np.matmul(down[strip, reached], band[reached], out=middle[strip])
    result = np.empty((len(down), len(across)), dtype=np.float32)
    for strip, reached in _strips(across):
        result[:, strip] = middle[:, reached] @ across[strip, reached].T
    return result


def _strips(table: Pixels) -> Iterator[tuple[slice, slice]]:
    """Some output pixels, and the source pixels that any of them needs."""
    for start in range(0, len(table), _STRIP):
        strip = slice(start, start + _STRIP)
        where = np.flatnonzero(table[strip].any(axis=0))
        yield strip, slice(where[0], where[-1] + 1) if where.size else slice(0, 0)


def _beyond(table: Pixels) -> NDArray[np.bool_]:
    """(count,): whether the kernel of an output pixel reaches over the source's edge."""
    beyond: NDArray[np.bool_] = np.abs(table.sum(axis=1) - 1) > 1e-5
    return beyond


def _gdal(
    pixels: NDArray[Any], src: GeoBox, dst: GeoBox, resampling: Resampling, missing: float
) -> NDArray[Any]:
    """Any grid to any grid, by GDAL's warper.

    It interpolates coordinates along a row (rasterio passes on no other tolerance than 0.125 source
    pixels): over a window of 512 pixels of 10 m that is 0.1 m at most (0.9 m on a grid in degrees).
    """
    result = np.full((pixels.shape[0], *dst.shape), missing, dtype=pixels.dtype)
    reproject(
        np.ascontiguousarray(pixels),
        result,
        src_transform=src.affine,
        src_crs=CRS.from_user_input(str(src.crs)),
        src_nodata=missing,
        dst_transform=dst.affine,
        dst_crs=CRS.from_user_input(str(dst.crs)),
        dst_nodata=missing,
        resampling=resampling,
        num_threads=1,
    )
    return result
