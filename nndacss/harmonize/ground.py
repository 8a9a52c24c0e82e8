"""Where a scene is ground to be harmonized by a network: the product's own mask decides.

The unit is a window of the global lattice (`nndacss.tile.parts`): one with a clear or snow pixel
goes through the network, whole. A window with none is bandpass; where it borders on one that has,
the network's image is led over into it within `FEATHER` pixels, so that no border is seen.

So every clear and every snow pixel is the network's alone, whatever else is computed: an area of
interest, parts and threads change nothing there. A window that the area cuts is judged by what
the area shows of it: its cloud, shadow and what else is not ground may be bandpass where the
whole scene has the network's, and so may that of the windows beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from nndacss.labels.climate import Climate
from nndacss.raster import Pixels

#: Pixels over which the network's image gives way to bandpass: 300 m, ten Landsat pixels.
FEATHER = 30
#: Classes of the mask that are ground. Snow is ground too, of which the networks saw little.
GROUND = (int(Climate.CLEAR), int(Climate.SNOW))


def place(grid: GeoBox) -> tuple[int, int]:
    """Row and column of a grid's first pixel on the lattice, which starts at map (0, 0)."""
    affine = grid.affine
    return round(affine.f / affine.e - 1e-6), round(affine.c / affine.a - 1e-6)


class Ground(Protocol):
    """Where the network's image is wanted."""

    def weight(self, grid: GeoBox) -> Pixels:
        """(rows, columns) float32: 1 where the image is the network's, 0 where bandpass is."""
        ...

    def snow(self, grid: GeoBox) -> NDArray[np.bool_]:
        """(rows, columns): where the mask says snow."""
        ...


class Everywhere:
    """No mask: all of it is ground."""

    def weight(self, grid: GeoBox) -> Pixels:
        """1 everywhere."""
        return np.ones(grid.shape, dtype=np.float32)

    def snow(self, grid: GeoBox) -> NDArray[np.bool_]:
        """Nowhere, as far as is known."""
        return np.zeros(grid.shape, dtype=np.bool_)


@dataclass(frozen=True)
class Masked:
    """By the product's mask. Immutable; safe to use from several threads."""

    path: Path
    """Its raster of labels, on the output grid."""
    grid: GeoBox
    window: int
    """Pixels a side of the lattice's windows."""
    active: frozenset[tuple[int, int]]
    """Lattice rows and columns of the windows with ground in them."""

    def weight(self, grid: GeoBox) -> Pixels:
        """1 in windows with ground, falling to 0 within `FEATHER` pixels around them."""
        top, left = place(grid)
        result = np.zeros(grid.shape, dtype=np.float32)
        rows, columns = grid.shape
        for row, column in self._near(top, left, (rows, columns)):
            down = _distance(top, rows, row * self.window, self.window)
            across = _distance(left, columns, column * self.window, self.window)
            away = np.hypot(down[:, None], across[None, :]) / FEATHER
            np.maximum(result, np.cos(np.pi / 2 * np.minimum(away, 1)) ** 2, out=result)
        result[result < 1e-6] = 0
        return result

    def _near(self, top: int, left: int, shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Windows with ground at most `FEATHER` pixels away; only it, if one holds it all."""
        rows, columns = (
            range((first - FEATHER) // self.window, (first + size - 1 + FEATHER) // self.window + 1)
            for first, size in ((top, shape[0]), (left, shape[1]))
        )
        own = top // self.window, left // self.window
        last = (top + shape[0] - 1) // self.window, (left + shape[1] - 1) // self.window
        if own == last and own in self.active:
            yield own
            return
        for row in rows:
            yield from ((row, column) for column in columns if (row, column) in self.active)

    def snow(self, grid: GeoBox) -> NDArray[np.bool_]:
        """Where the mask says snow; nowhere beyond it."""
        result = np.zeros(grid.shape, dtype=np.bool_)
        rows, columns, to = _meeting(self.grid, grid)
        if rows.start < rows.stop and columns.start < columns.stop:
            with rasterio.open(self.path, sharing=False) as raster:
                labels = raster.read(1, window=Window.from_slices(rows, columns))
            result[to] = labels == int(Climate.SNOW)
        return result


def masked(path: Path, window: int) -> Masked:
    """The ground of a mask stage's labels; reads them once."""
    with rasterio.open(path, sharing=False) as raster:
        grid = GeoBox.from_rio(raster)
        top, left = place(grid)
        found = set()
        for row in range(top // window, (top + grid.shape[0] - 1) // window + 1):
            rows = _span(row * window - top, window, grid.shape[0])
            labels = raster.read(1, window=Window.from_slices(rows, slice(0, grid.shape[1])))
            ground = np.flatnonzero(np.isin(labels, GROUND).any(axis=0))
            found |= {(row, int(column)) for column in np.unique((left + ground) // window)}
    return Masked(path, grid, window, frozenset(found))


def _distance(first: int, count: int, start: int, size: int) -> NDArray[np.float64]:
    """(count,): how far each pixel's centre is from the interval of `size` pixels at `start`."""
    centres = first + 0.5 + np.arange(count)
    distance: NDArray[np.float64] = np.maximum(start - centres, centres - start - size).clip(min=0)
    return distance


def _meeting(whole: GeoBox, grid: GeoBox) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns of `whole` that lie in `grid`, and where in `grid`."""
    offsets = [there - own for there, own in zip(place(grid), place(whole), strict=True)]
    rows, columns = (
        _span(offset, size, total)
        for offset, size, total in zip(offsets, grid.shape, whole.shape, strict=True)
    )
    to = (
        slice(rows.start - offsets[0], rows.stop - offsets[0]),
        slice(columns.start - offsets[1], columns.stop - offsets[1]),
    )
    return rows, columns, to


def _span(first: int, size: int, total: int) -> slice:
    """What of `size` pixels from `first` on lies inside 0..total; empty where nothing does."""
    start = min(max(first, 0), total)
    return slice(start, max(min(first + size, total), start))
