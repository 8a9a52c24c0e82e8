"""How well the product keeps the scene: its own pixels, and visible seams, on sampled windows.

Both look at the lattice windows of the computation (`nndacss.tile.parts`), 24 of them at most,
with 64 pixels around: all of a small scene, an even-handed sample of a large one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from nndacss.harmonize.spectral import Spectral
from nndacss.product.consistency import Consistency, Origin, compare
from nndacss.product.sheets import Sheet
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene
from nndacss.tile.grid import METRES
from nndacss.tile.parts import parts
from nndacss.tile.settings import TileSettings

#: At most so many windows are looked at.
SAMPLE = 24
#: Pixels around a window, so that its borders have an inside on both sides.
MARGIN = 64
#: Product pixels after which the lines of a 30 m (and of a 15 m) grid fall alike again.
PERIOD = 3
#: Reflectance: differences of neighbours above it are edges of things, not seams.
STEEP = 0.05


@dataclass(frozen=True)
class Cut:
    """Where the lattice cuts a raster."""

    windows: tuple[tuple[slice, slice], ...]
    """Rows and columns of each window, inside the raster."""
    window_rows: frozenset[int]
    """Rows above which a window border runs."""
    window_columns: frozenset[int]
    part_rows: frozenset[int]
    """Those of them that are borders of parts."""
    part_columns: frozenset[int]


def cut(grid: GeoBox, settings: TileSettings) -> Cut:
    """The lattice over `grid`."""
    windows = []
    corners = []
    for part in parts(grid, settings):
        top, left = (place.start for place in part.at)
        corners.append((top, left))
        for window in part.windows():
            rows, columns = window.at
            windows.append(
                (
                    slice(top + rows.start, top + rows.stop),
                    slice(left + columns.start, left + columns.stop),
                )
            )
    return Cut(
        tuple(windows),
        frozenset(rows.start for rows, _ in windows) - {0},
        frozenset(columns.start for _, columns in windows) - {0},
        frozenset(row for row, _ in corners) - {0},
        frozenset(column for _, column in corners) - {0},
    )


def sample(windows: Sequence[tuple[slice, slice]]) -> list[tuple[slice, slice]]:
    """All windows, or `SAMPLE` of them drawn with a fixed seed, in their order."""
    if len(windows) <= SAMPLE:
        return list(windows)
    chosen = np.random.default_rng(0).choice(len(windows), SAMPLE, replace=False)
    return [windows[index] for index in sorted(chosen)]


@dataclass
class Seams:
    """Sums of absolute differences of neighbours, by where the border between them runs.

    What lies inside is taken from within 32 pixels of a border, since the ground there is the
    same as at the border, and from the lines that are a multiple of `period` away: 30 m pixels
    shown at 10 m differ more from each other at every third line. A difference counts as at
    most `STEEP`, so that a cloud's edge that happens to lie at a border is not taken for a seam.
    """

    period: int = PERIOD
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """Inside, at window borders, at part borders."""
    count: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, dtype=np.int64))

    def add(self, pixels: Pixels, at: tuple[slice, slice], lattice: Cut) -> None:
        """One block, (bands, rows, columns) with NaN where missing, and its place."""
        rows, columns = at
        for axis, part, borders, strong in (
            (0, rows, lattice.window_rows, lattice.part_rows),
            (1, columns, lattice.window_columns, lattice.part_columns),
        ):
            kinds = _kinds(range(part.start + 1, part.stop), borders, strong, self.period)
            near = kinds < _FAR
            for band in pixels:
                steps = np.minimum(np.abs(np.diff(band, axis=axis)), np.float32(STEEP))
                sums: NDArray[np.float64] = np.nansum(steps, axis=1 - axis, dtype=np.float64)
                pairs: NDArray[np.intp] = np.count_nonzero(~np.isnan(steps), axis=1 - axis)
                self.total += np.bincount(kinds[near], sums[near], 3)
                self.count += np.bincount(kinds[near], pairs[near], 3).astype(np.int64)

    def merge(self, other: Seams) -> None:
        """Add the sums of other blocks."""
        self.total += other.total
        self.count += other.count

    def result(self) -> dict[str, Any]:
        """Mean difference at borders over mean difference inside: 1 is invisible."""
        every = np.array([self.total[0], self.total[1:].sum(), self.total[2]])
        pairs = np.array([self.count[0], self.count[1:].sum(), self.count[2]])
        mean = [float(a / n) if n else None for a, n in zip(every, pairs, strict=True)]
        inside = mean[0]
        ratios = [
            round(value / inside, 4) if value is not None and inside else None for value in mean[1:]
        ]
        return {
            "windows": ratios[0],
            "parts": ratios[1],
            "pairs_inside": int(pairs[0]),
            "pairs_at_windows": int(pairs[1]),
            "pairs_at_parts": int(pairs[2]),
        }


_FAR = 3


def _kinds(
    places: Sequence[int], borders: frozenset[int], strong: frozenset[int], period: int
) -> NDArray[np.intp]:
    """0 inside, near a border and alike; 1 at a window border, 2 at a part border; 3 not used."""
    lines = np.array(places, dtype=np.intp)
    at = np.array(sorted(borders | strong), dtype=np.intp)
    if not at.size:
        return np.full(lines.shape, _FAR)
    distance = np.abs(lines[:, None] - at[None, :])
    alike = (distance <= MARGIN // 2) & (distance % period == 0)
    kinds = np.where(alike.any(axis=1), 0, _FAR)
    kinds[np.isin(lines, list(borders))] = 1
    kinds[np.isin(lines, list(strong))] = 2
    return kinds


def check(
    path: Path,
    sheet: Sheet,
    scene: Scene,
    settings: TileSettings,
    spectral: Spectral,
    threads: int,
    origin: Origin,
) -> dict[str, Any]:
    """How well the reflectance raster at `path` keeps the scene, and its seams.

    `spectral` is the change of band responses that it holds, which is undone; `origin` tells the
    pixels that do not hold it, which are not compared with the scene.
    """
    with rasterio.open(path) as raster:
        grid = GeoBox.from_rio(raster)
    lattice = cut(grid, settings)
    places = sample(lattice.windows)
    sizes = [round(scene.grid(role).affine.a) for role in sheet.bands]
    period = math.lcm(*(max(1, round(size / METRES)) for size in sizes))
    seams, consistency = Seams(period), Consistency(sheet.bands, max(sizes))

    def one(place: tuple[slice, slice]) -> tuple[Seams, Consistency]:
        at = _wider(place, grid)
        with rasterio.open(path, sharing=False) as raster:
            counts = raster.read(window=Window.from_slices(*at))
        missing = (counts == sheet.nodata).any(axis=0)
        own = Seams(period)
        for band in counts:  # one by one, to hold one in floats
            pixels = band[None].astype(np.float32) * np.float32(sheet.scale)
            pixels[:, missing] = np.nan
            own.add(pixels, at, lattice)
        return own, compare(counts, origin.others(at), grid[at], sheet, scene, spectral.inverse())

    with ThreadPoolExecutor(threads) as pool:
        for partial in pool.map(one, places):  # in order: sums of floats depend on it
            seams.merge(partial[0])
            consistency.merge(partial[1])
    looked = {"windows": len(places), "of": len(lattice.windows)}
    return {"sample": looked, "consistency": consistency.result(), "seams": seams.result()}


def _wider(place: tuple[slice, slice], grid: GeoBox) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(part.start - MARGIN, 0), min(part.stop + MARGIN, size))
        for part, size in zip(place, grid.shape, strict=True)
    )
    return rows, columns
