"""Layers onto any grid: which window is needed, and where its pixels go, without a second copy.

Pixels of a grid that lies on the layer's own lattice are copied; all others are warped once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, complain
from nndacss.raster import Pixels
from nndacss.readers.layers import Layer
from nndacss.tile.warp import Kernel, nearest, source_window, warp


def read_pixels(layers: Sequence[Layer], grid: GeoBox, kernel: Kernel) -> Pixels:
    """(bands, rows, columns) calibrated on `grid`; all `layers` share one grid."""
    src = layers[0].grid
    rows, columns = needed(src, grid)
    pixels = np.stack([layer.calibrated(layer.window(rows, columns)) for layer in layers])
    if same_lattice(src, grid) is None:
        return warp(pixels, part_of(src, rows, columns), grid, kernel)
    result = np.full((len(layers), *grid.shape), np.nan, dtype=np.float32)
    _paste(pixels, src, grid, rows, columns, result)
    return result


def read_codes(layer: Layer, grid: GeoBox, fill: int) -> NDArray[Any]:
    """(rows, columns) raw numbers on `grid` by nearest neighbour, `fill` outside."""
    rows, columns = needed(layer.grid, grid)
    return put_codes(layer.window(rows, columns), layer.grid, (rows, columns), grid, fill)


def put_codes(
    codes: NDArray[Any], src: GeoBox, window: tuple[slice, slice], grid: GeoBox, fill: int
) -> NDArray[Any]:
    """Codes of a `window` of `src`, as `needed` says, on `grid`; `fill` outside."""
    rows, columns = window
    result: NDArray[Any] = np.full((1, *grid.shape), fill, dtype=codes.dtype)
    if same_lattice(src, grid) is None:
        result = nearest(codes[None], part_of(src, rows, columns), grid, fill)
    else:
        _paste(codes[None], src, grid, rows, columns, result)
    band: NDArray[Any] = result[0]
    return band


def needed(src: GeoBox, grid: GeoBox) -> tuple[slice, slice]:
    """Rows and columns of `src` that `grid` needs."""
    start = same_lattice(src, grid)
    if start is None:
        return source_window(src, grid)
    rows, columns = (
        slice(min(max(first, 0), size), min(max(first + count, 0), size))
        for first, count, size in zip(start, grid.shape, src.shape, strict=True)
    )
    return rows, columns


def same_lattice(src: GeoBox, grid: GeoBox) -> tuple[int, int] | None:
    """Row and column of `src` where `grid` starts, if its pixels are pixels of `src`."""
    if src.crs != grid.crs:
        return None
    move = ~src.affine @ grid.affine
    if not move.almost_equals(Affine.translation(round(move.c), round(move.f)), precision=1e-6):
        return None
    return round(move.f), round(move.c)


def part_of(src: GeoBox, rows: slice, columns: slice) -> GeoBox:
    """The grid of a window."""
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return GeoBox(shape, src.affine @ Affine.translation(columns.start, rows.start), src.crs)


def _paste(
    bands: NDArray[Any],
    src: GeoBox,
    grid: GeoBox,
    rows: slice,
    columns: slice,
    result: NDArray[Any],
) -> None:
    """A window of `src` to its place in `result`, which lies on `grid`, without resampling."""
    start = same_lattice(src, grid)
    if start is not None:
        top, left = rows.start - start[0], columns.start - start[1]
        height, width = bands.shape[1:]
        result[:, top : top + height, left : left + width] = bands


def check_one_grid(layers: list[Layer]) -> None:
    """BandError names the file that lies elsewhere than most."""
    grids = Counter(_key(layer.grid) for layer in layers)
    if len(grids) <= 1:
        return
    common = grids.most_common(1)[0][0]
    odd = next(layer for layer in layers if _key(layer.grid) != common)
    usual = next(layer for layer in layers if _key(layer.grid) == common)
    raise BandError(
        complain(
            odd.header.file,
            describe(odd.grid),
            f"{describe(usual.grid)}, as {usual.header.file} and the others",
            "these are bands of different scenes; order the product again",
        )
    )


def _key(grid: GeoBox) -> tuple[object, ...]:
    """Equal for equal grids; coordinates to the millimetre."""
    return (*grid.shape, str(grid.crs), *(round(number, 3) for number in grid.affine[:6]))


def describe(grid: GeoBox) -> str:
    """A grid in words."""
    rows, columns = grid.shape
    affine = grid.affine
    name = f"EPSG:{grid.crs.epsg}" if grid.crs and grid.crs.epsg else "a CRS without code"
    return f"{rows} x {columns} pixels of {affine.a:g} m from {affine.c:g}, {affine.f:g} in {name}"
