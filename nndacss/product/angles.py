"""The sun over the scene, on a coarse grid: it changes by a degree or two, slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.windows import Window

from nndacss.product.sheets import Sheet
from nndacss.readers.scene import Scene

#: Product pixels per sun pixel a side: 300 m.
STEP = 30
#: Rows at once, so that memory does not grow with the scene.
_ROWS = 32


def coarse(grid: GeoBox) -> GeoBox:
    """The 300 m grid that covers `grid` from its upper left corner."""
    rows, columns = (-(-size // STEP) for size in grid.shape)
    return GeoBox((rows, columns), grid.affine @ Affine.scale(STEP), grid.crs)


def write_sun(scene: Scene, grid: GeoBox, sheet: Sheet, path: Path) -> None:
    """Sun elevation and azimuth at `path`, counts of 0.01 degree as `sheet` says.

    Azimuth is clockwise from north, -180..180 (as in USGS's SAA band): 0..360 is too much for
    int16 at this scale.
    """
    target = coarse(grid)
    rows, columns = target.shape
    profile = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": 2,
        "dtype": sheet.dtype,
        "nodata": sheet.nodata,
        "crs": CRS.from_user_input(str(target.crs)),
        "transform": target.affine,
    }
    with rasterio.open(path, "w", **profile) as file:
        for top in range(0, rows, _ROWS):
            strip = slice(top, min(top + _ROWS, rows))
            angles = scene.sun_angles(target[strip, :]).astype(np.float64)
            angles[1] = (angles[1] + 180) % 360 - 180
            counts = np.rint(angles / sheet.scale).astype(np.int16)
            file.write(counts, window=Window.from_slices(strip, slice(0, columns)))
