"""Landsat rows to 90 m rows, and arrays to Proba-V in one call.

from nndacss.harmonize.physical.transform import to_probav
seen = to_probav(pixels, grid)        # pixels: coastal, blue, red, nir08, swir16
seen.raster.pixels, seen.raster.grid  # (4, rows, columns) BLUE, RED, NIR, SWIR in EPSG:4326
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.errors import GridError, complain
from nndacss.harmonize.physical.grids import (
    TILES,
    Resolution,
    Shift,
    coarse_grid,
    probav_grid,
)
from nndacss.harmonize.physical.lanczos import BANDS, Resampler
from nndacss.harmonize.physical.psf import Block, Edges, blur
from nndacss.harmonize.physical.shares import cloud_shares, missing_share
from nndacss.raster import Pixels, Raster
from nndacss.sensors.probav import SENSOR

#: What of Landsat the transform needs, in the order of its arrays.
ROLES = ("coastal", "blue", "red", "nir08", "swir16")
#: What coastal and blue add up to: Proba-V's response in BLUE (the published program).
MIX = (0.24916137667938665, 0.7508386233206134)


@dataclass(frozen=True)
class Seen:
    """What Proba-V would see."""

    raster: Raster
    """Roles blue, red, nir, swir16; top-of-atmosphere reflectance, NaN where missing."""
    clouds: Pixels | None
    """(rows, columns) cloud cover 0 to 1, NaN where unknown; None where nothing was labelled."""


def to_probav(
    pixels: Pixels,
    grid: GeoBox,
    resolution: Resolution = "333M",
    *,
    clouds: Pixels | None = None,
    target: GeoBox | None = None,
    shift: Shift = "corrected",
    edges: Edges = "normalized",
) -> Seen:
    """Landsat-8 top-of-atmosphere reflectance in memory, as Proba-V would see it.

    `pixels` is (5, rows, columns) float32 in the order of `ROLES` on `grid` (30 m), NaN where
    missing; `clouds` is (rows, columns), 1 cloud, 0 not, NaN without label. The result lies on
    `target` in any CRS, or else on a grid of EPSG:4326 with the steps of `resolution` that holds
    the scene. GridError where the shapes do not fit.
    """
    _check(pixels, grid, clouds)
    height = grid.shape[0]
    coarse = coarse_grid(grid, shift)
    target = probav_grid(coarse, resolution) if target is None else target
    layers = coarse_rows(pixels, clouds, 0, Block(slice(0, coarse.shape[0]), height), edges)
    warp = Resampler(coarse, target, shift)
    seen = np.empty((BANDS, *target.shape), dtype=np.float32)
    cover = None if clouds is None else np.empty(target.shape, dtype=np.float32)
    for at in warp.pieces(TILES[resolution]):
        rows, columns = warp.needed(at)
        bands, soft = warp.resample(layers[:, rows, columns], at)
        seen[:, at[0], at[1]] = bands
        if cover is not None and soft is not None:
            cover[at] = soft
    return Seen(Raster(seen, target, SENSOR.roles), cover)


def _check(pixels: Pixels, grid: GeoBox, clouds: Pixels | None) -> None:
    expected = (len(ROLES), *grid.shape)
    for name, shape, wanted in (
        ("pixels", pixels.shape, expected),
        ("clouds", expected[1:] if clouds is None else clouds.shape, expected[1:]),
    ):
        if shape != wanted:
            remedy = "give an array that lies on the grid"
            raise GridError(complain(name, str(shape), str(wanted), remedy))


def coarse_rows(
    pixels: Pixels, clouds: Pixels | None, top: int, block: Block, edges: Edges
) -> Pixels:
    """The layers of some rows of 90 m pixels: (5 or 7, rows, columns) float32.

    BLUE, RED, NIR, SWIR, the share that is missing and, where `clouds` are given, cloud cover
    and the share without label. Row 0 of the inputs is row `top` of the image; the rows within
    `psf.reach_of(edges)` of the block's are there, or lie outside the image.
    """
    mixed = np.empty((BANDS, *pixels.shape[1:]), dtype=np.float32)
    np.multiply(pixels[0], np.float32(MIX[0]), out=mixed[0])
    mixed[0] += pixels[1] * np.float32(MIX[1])
    mixed[1:] = pixels[2:]
    missing = np.asarray(np.isnan(mixed).any(axis=0))
    layers = [
        *blur(mixed, missing, top, block, edges),
        missing_share(missing, top, block),
    ]
    if clouds is not None:
        labels = np.where(missing, np.float32(np.nan), clouds)
        layers += cloud_shares(labels, top, block, edges)
    return np.stack(layers)
