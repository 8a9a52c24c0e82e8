"""From Landsat's planes to the 10 m grid of a pair, exactly as the pipeline reads a scene.

Landsat's 30 m pixels have their edges at 30 k + 15 metres and pan's at 15 k + 7.5, counted from
the origin of the UTM zone; Sentinel-2's lie on whole tens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.pairs.source import METRES
from nndacss.raster import Pixels
from nndacss.tile.warp import axes, warp

#: Pairs from arrays lie in one UTM zone; nothing depends on which.
CRS = "EPSG:32632"
#: Offset of Landsat's edges from whole multiples of its pixel, by pixel size, metres.
EDGE = {30: 15.0, 15: 7.5}


@dataclass(frozen=True)
class Plane:
    """Bands of one pixel size, and where they are said to lie."""

    pixels: Pixels
    """(bands, rows, columns) float32."""
    west: float
    north: float
    """Outer edges of the upper left pixel, metres."""
    metres: float

    @property
    def grid(self) -> GeoBox:
        """As a pixel plane."""
        return plane_grid(self.west, self.north, self.metres, *self.pixels.shape[1:])


def plane_grid(west: float, north: float, metres: float, rows: int, columns: int) -> GeoBox:
    """A north-up pixel plane from the outer edges of its upper left pixel."""
    affine = Affine(metres, 0.0, west, 0.0, -metres, north)
    return GeoBox((rows, columns), affine, CRS)


def tens(west: float, north: float, rows: int, columns: int) -> GeoBox:
    """10 m pixels from an upper left corner."""
    return plane_grid(west, north, METRES, rows, columns)


def on_tens(plane: Plane, grid: GeoBox) -> Pixels:
    """The bands on `grid` by cubic convolution; NaN where the kernel reaches over the plane's edge.

    A scene is cut off that way too, only that there its last pixels still come, less sharp, from
    a shorter kernel: pairs teach the whole kernel only.
    """
    inside = [
        np.abs(axis.weights("cubic").sum(axis=1) - 1) < 1e-5 for axis in axes(plane.grid, grid)
    ]
    result = np.full((len(plane.pixels), *grid.shape), np.nan, dtype=np.float32)
    if not all(part.any() for part in inside):
        return result
    rows, columns = (slice(int(n[0]), int(n[-1]) + 1) for n in map(np.flatnonzero, inside))
    result[:, rows, columns] = warp(plane.pixels, plane.grid, grid[rows, columns])
    return result
