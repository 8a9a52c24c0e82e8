"""How well the product keeps the scene: averaged back onto the scene's own pixels, and compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from nndacss.harmonize.result import COMPOSED, NETWORK
from nndacss.harmonize.spectral import Spectral
from nndacss.product.sheets import Sheet
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene
from nndacss.tile.warp import source_window, warp


@dataclass
class Consistency:
    """Sums of differences per band between the scene and the product at the scene's pixels."""

    roles: tuple[str, ...]
    metres: int = 30
    """Size of the scene's pixels, of the coarsest band."""
    sums: NDArray[np.float64] = field(init=False)
    """(bands, 3): count, sum, sum of squares."""

    def __post_init__(self) -> None:
        self.sums = np.zeros((len(self.roles), 3))

    def add(self, first: int, difference: Pixels) -> None:
        """(bands, rows, columns) of product minus scene, from band `first` on; NaN: no pair."""
        for index, band in enumerate(difference, start=first):
            there = band[~np.isnan(band)].astype(np.float64)
            self.sums[index] += (there.size, there.sum(), np.square(there).sum())

    def merge(self, other: Consistency) -> None:
        """Add the sums of other blocks."""
        self.sums += other.sums

    def result(self) -> dict[str, Any]:
        """Bias and root mean square per band, in reflectance."""
        bands = {}
        for role, (count, total, squares) in zip(self.roles, self.sums, strict=True):
            bias = round(float(total / count), 6) if count else None
            rmse = round(float(np.sqrt(squares / count)), 6) if count else None
            bands[role] = {"pixels": int(count), "bias": bias, "rmse": rmse}
        return {"metres": self.metres, "bands": bands}


def difference(
    pixels: Pixels,
    grid: GeoBox,
    scene: Scene,
    roles: tuple[str, ...],
) -> Pixels:
    """A block in the scene's band responses, averaged onto the scene's own pixels, minus the scene.

    Compared are the scene's pixels that lie whole inside the block and have all of their product
    pixels; NaN elsewhere.
    """
    plane = scene.grid(roles[0])
    own = plane[source_window(plane, grid, margin=0)]
    if 0 in own.shape:
        return np.full((len(roles), 0, 0), np.nan, dtype=np.float32)
    lacking = np.asarray(np.isnan(pixels).any(axis=0))
    lacking[[0, -1], :] = lacking[:, [0, -1]] = True  # what touches the rim may reach over it
    share = warp(lacking[None].astype(np.float32), grid, own, "average")[0]
    averaged = warp(pixels, grid, own, "average")
    whole = np.nan_to_num(share, nan=1.0) < 1e-4
    found = np.where(whole, averaged - scene.read(roles, own).pixels, np.float32(np.nan))
    return found.astype(np.float32)


def undone(counts: NDArray[np.int16], sheet: Sheet, index: int, back: Spectral) -> Pixels:
    """Band `index` of the scene as the product has it: (1, rows, columns), NaN where missing.

    `back` leads from the product's band responses to the scene's; only bands that it takes are
    looked at, one by one.
    """
    total = np.full((1, *counts.shape[1:]), back.offset[index], dtype=np.float32)
    for weight, band in zip(back.matrix[index], counts, strict=True):
        if weight:
            total[0] += np.float32(weight * sheet.scale) * band.astype(np.float32)
    total[:, (counts == sheet.nodata).any(axis=0)] = np.nan
    return total


def compare(
    counts: NDArray[np.int16],
    others: NDArray[np.bool_],
    grid: GeoBox,
    sheet: Sheet,
    scene: Scene,
    back: Spectral,
) -> Consistency:
    """One block against the scene, but for the pixels of `others`."""
    found = Consistency(sheet.bands)
    for index, role in enumerate(sheet.bands):
        as_seen = undone(counts, sheet, index, back)
        as_seen[:, others] = np.nan
        found.add(index, difference(as_seen, grid, scene, (role,)))
    return found


@dataclass(frozen=True)
class Origin:
    """The product's source layer: it says which pixels can be compared with the scene."""

    path: Path
    network: bool
    """Whether only a network's pixels hold the change of band responses that is undone."""

    def others(self, at: tuple[slice, slice]) -> NDArray[np.bool_]:
        """(rows, columns): composed ones, and those of no network where it must be one."""
        with rasterio.open(self.path, sharing=False) as raster:
            codes = raster.read(1, window=Window.from_slices(*at))
        found = (codes & COMPOSED) > 0
        return np.asarray(found | ((codes & NETWORK) == 0) if self.network else found)
