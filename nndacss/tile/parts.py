"""Windows and parts: one global lattice, so that sharing out the work never changes a pixel.

The lattice starts at map coordinate (0, 0) of the output CRS and depends on the settings alone.
A window (512 px) is what is computed at once, always whole, whatever of it is kept; a part
(2048 px) is what is written as one file. Two runs over different areas of one scene therefore
compute the same windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.tile.settings import TileSettings


@dataclass(frozen=True)
class Window:
    """One step of computation inside a part."""

    grid: GeoBox
    """The whole lattice window, not cropped."""
    keep: tuple[slice, slice]
    """Rows and columns of the window that belong to the part."""
    at: tuple[slice, slice]
    """Rows and columns of the part where they go."""


@dataclass(frozen=True)
class Part:
    """One file's worth of the output."""

    row: int
    """Lattice row; negative north of the CRS' origin, as pixel rows grow southwards."""
    column: int
    grid: GeoBox
    """What of the part lies inside the output."""
    at: tuple[slice, slice]
    """Rows and columns of the output where it goes."""
    window: int

    @property
    def name(self) -> str:
        """Unique within a lattice, usable in file names."""
        return f"r{self.row}_c{self.column}"

    def windows(self) -> Iterator[Window]:
        """The lattice windows that meet this part, row by row."""
        for _, _, keep, at, grid in _cells(self.grid, self.window):
            yield Window(grid, keep, at)


def parts(grid: GeoBox, settings: TileSettings) -> list[Part]:
    """All parts that meet `grid`, row by row."""
    return [
        Part(row, column, grid[at], at, settings.window)
        for row, column, _, at, _ in _cells(grid, settings.part)
    ]


Slices = tuple[slice, slice]


def _cells(grid: GeoBox, size: int) -> Iterator[tuple[int, int, Slices, Slices, GeoBox]]:
    """Lattice cells of `size` px that meet `grid`: row, column, kept slices, place, whole cell."""
    top = round(grid.affine.f / grid.affine.e - 1e-6)
    left = round(grid.affine.c / grid.affine.a - 1e-6)
    # where the grid's edges lie between the multiples of its step (15 m in `landsat`)
    origin = Affine.translation(
        grid.affine.c - left * grid.affine.a, grid.affine.f - top * grid.affine.e
    ) @ Affine.scale(grid.affine.a, grid.affine.e)
    rows, columns = grid.shape
    for row in range(math.floor(top / size), math.ceil((top + rows) / size)):
        for column in range(math.floor(left / size), math.ceil((left + columns) / size)):
            keep_rows, at_rows = _meet(row * size - top, size, rows)
            keep_columns, at_columns = _meet(column * size - left, size, columns)
            affine = origin @ Affine.translation(column * size, row * size)
            cell = GeoBox((size, size), affine, grid.crs)
            yield row, column, (keep_rows, keep_columns), (at_rows, at_columns), cell


def _meet(offset: int, size: int, total: int) -> tuple[slice, slice]:
    """A cell that starts at `offset` of an axis of `total`: its kept part, and where that goes."""
    first, last = max(offset, 0), min(offset + size, total)
    return slice(first - offset, last - offset), slice(first, last)
