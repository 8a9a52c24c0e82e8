"""90 m pixels to Proba-V's grid, piece by piece, by GDAL's Lanczos kernel.

GDAL widens the kernel to the target's pixel size, and would estimate that size for each call; it
is given here, so that neighbouring pieces fit.

GDAL also computes places only at the ends of a row and puts the pixels between on a straight
line, as long as it errs by less than a tolerance. By default that is an eighth of a pixel, 11 m,
and a parallel of latitude bends by 6 m within 20 km of a UTM zone: the published program's images
lie up to that much too far north or south. `rasterio.warp.reproject` (1.4) takes no other
tolerance, though it lets one be given; a `WarpedVRT` does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject

from nndacss.harmonize.physical.grids import Shift, kernel_scale
from nndacss.harmonize.physical.shares import MOST
from nndacss.raster import Pixels
from nndacss.tile.warp import source_window

Piece = tuple[slice, slice]
"""Rows and columns of the target."""

#: Pixels of the target that Lanczos' kernel reaches.
_REACH = 3
#: By how much of a 90 m pixel GDAL may err where it puts a pixel: 0.1 mm. So pieces fit exactly.
_TOLERANCE = 1e-6
#: Marks what lies outside in shares, which are never negative before resampling.
_OUTSIDE = -1.0
#: Bands; behind them the share that is missing, then clouds and the share without label.
BANDS = 4


@dataclass(frozen=True)
class Resampler:
    """From one grid to another."""

    coarse: GeoBox
    """Of the 90 m pixels."""
    target: GeoBox
    shift: Shift
    """`legacy` errs in places as the published program does."""

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Target pixels to a 90 m pixel along its columns and rows."""
        return kernel_scale(self.coarse, self.target, self.shift)

    def pieces(self, side: int) -> list[Piece]:
        """The pieces that the target is resampled in, row by row, about `side` pixels a side.

        In `legacy` they are whole rows, since places depend on how long a row is.
        """
        rows, columns = self.target.shape
        width = columns if self.shift == "legacy" else side
        return [
            (slice(top, min(top + side, rows)), slice(left, min(left + width, columns)))
            for top in range(0, rows, side)
            for left in range(0, columns, width)
        ]

    def needed(self, at: Piece) -> tuple[slice, slice]:
        """Rows and columns of 90 m pixels that a piece needs; empty where they do not meet."""
        margin = math.ceil(_REACH / min(*self.scale, 1.0)) + 3
        return source_window(self.coarse, self.target[at], margin)

    def resample(self, layers: Pixels, at: Piece) -> tuple[Pixels, Pixels | None]:
        """Reflectance and, where `layers` have it, cloud cover of a piece; NaN where missing.

        `layers` is (5 or 7, rows, columns), the window that the piece needs, see
        `transform.coarse_rows`. Gives (4, rows, columns) and (rows, columns) float32.
        """
        piece, source = self.target[at], self.coarse[self.needed(at)]
        labelled = layers.shape[0] > BANDS + 1
        if 0 in layers.shape[1:]:
            empty = np.full((BANDS, *piece.shape), np.nan, dtype=np.float32)
            return empty, (empty[0] if labelled else None)
        bands = self._warped(layers[:BANDS], source, piece, np.nan)
        shares = self._warped(layers[BANDS::2], source, piece, _OUTSIDE)
        bands[:, _missing(shares[0]) | np.isnan(bands).any(axis=0)] = np.nan
        if not labelled:
            return bands, None
        clouds = self._warped(layers[BANDS + 1 : BANDS + 2], source, piece, np.nan)[0]
        clouds = np.clip(clouds, 0, 1)
        clouds[_missing(shares[1])] = np.nan
        return bands, clouds

    def _warped(self, layers: Pixels, source: GeoBox, piece: GeoBox, missing: float) -> Pixels:
        warp = _approximate if self.shift == "legacy" else _exact
        return warp(np.ascontiguousarray(layers), source, piece, self.scale, missing)


def _missing(share: Pixels) -> NDArray[np.bool_]:
    return np.asarray((share > MOST) | (share == _OUTSIDE))


def _exact(
    layers: Pixels, source: GeoBox, piece: GeoBox, scale: tuple[float, float], missing: float
) -> Pixels:
    """(bands, rows, columns) on `piece`, each pixel where it belongs; `missing` outside."""
    rows, columns = piece.shape
    profile = {
        "driver": "GTiff",
        "count": len(layers),
        "height": source.shape[0],
        "width": source.shape[1],
        "dtype": "float32",
        "nodata": missing,
        "crs": _crs(source),
        "transform": source.affine,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(layers)
        with (
            memory.open() as raster,
            WarpedVRT(
                raster,
                crs=_crs(piece),
                transform=piece.affine,
                height=rows,
                width=columns,
                src_nodata=missing,
                nodata=missing,
                resampling=Resampling.lanczos,
                tolerance=_TOLERANCE,
                XSCALE=repr(scale[0]),
                YSCALE=repr(scale[1]),
            ) as warped,
        ):
            result: Pixels = warped.read()
    return result


def _approximate(
    layers: Pixels, source: GeoBox, piece: GeoBox, scale: tuple[float, float], missing: float
) -> Pixels:
    """The same, with places as the published program computes them."""
    result = np.full((len(layers), *piece.shape), missing, dtype=np.float32)
    reproject(
        layers,
        result,
        src_transform=source.affine,
        src_crs=_crs(source),
        src_nodata=missing,
        dst_transform=piece.affine,
        dst_crs=_crs(piece),
        dst_nodata=missing,
        resampling=Resampling.lanczos,
        num_threads=1,
        XSCALE=repr(scale[0]),
        YSCALE=repr(scale[1]),
    )
    return result


def _crs(grid: GeoBox) -> CRS:
    return CRS.from_user_input(str(grid.crs))
