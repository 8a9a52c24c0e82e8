"""Sun angles between the nodes of a granule's 5 km grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from nndacss.readers.sentinel2.metadata import SunGrid


def interpolate(sun: SunGrid, crs: CRS, grid: GeoBox) -> NDArray[np.float32]:
    """(2, rows, columns): elevation and azimuth in degrees at the pixel centres of `grid`.

    Bilinear in the CRS of the tile, `crs`; beyond the nodes the values of the border; NaN where
    a node that counts is NaN. Azimuths are averaged as directions, so 359 and 1 give 0.
    """
    zenith = np.array(sun.zenith)
    azimuth = np.radians(np.array(sun.azimuth))
    row, column = _nodes(sun, crs, grid)
    tables = (zenith, np.sin(azimuth), np.cos(azimuth))
    found, east, north = (_bilinear(table, row, column) for table in tables)
    result = np.empty((2, *grid.shape), dtype=np.float32)
    result[0] = 90 - found
    result[1] = np.degrees(np.arctan2(east, north)) % 360
    result[1][result[1] >= 360] = 0  # a hair below 0 rounds to 360
    return result


def _nodes(sun: SunGrid, crs: CRS, grid: GeoBox) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixel centres of `grid` in rows and columns of the nodes."""
    columns, rows = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    affine = grid.affine
    x = affine.a * columns + affine.b * rows + affine.c
    y = affine.d * columns + affine.e * rows + affine.f
    if grid.crs is not None and grid.crs != crs:
        x, y = grid.crs.transformer_to_crs(crs)(x, y)
    down, across = sun.step
    return (sun.top - np.asarray(y)) / down, (np.asarray(x) - sun.left) / across


def _bilinear(
    table: NDArray[np.float64], row: NDArray[np.float64], column: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of `table` at fractional rows and columns, clipped to it."""
    row, column = (
        np.clip(place, 0, size - 1) for place, size in zip((row, column), table.shape, strict=True)
    )
    top, left = (
        np.minimum(place.astype(np.intp), size - 2)
        for place, size in zip((row, column), table.shape, strict=True)
    )
    down, across = row - top, column - left
    upper = _mix(table[top, left], table[top, left + 1], across)
    lower = _mix(table[top + 1, left], table[top + 1, left + 1], across)
    return _mix(upper, lower, down)


def _mix(
    first: NDArray[np.float64], second: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Between two values; one of them alone where the other does not count, even if it is NaN."""
    mixed = (1 - share) * first + share * second
    return np.where(share == 0, first, np.where(share == 1, second, mixed))
