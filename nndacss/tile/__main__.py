"""`python -m nndacss.tile FILE`: the grid of a raster as text for `tile.grid`."""

from __future__ import annotations

import sys
from pathlib import Path

import rasterio
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioIOError

from nndacss.errors import GridError, NndacssError, complain
from nndacss.tile.grid import format_box


def grid_of(path: Path) -> str:
    """`box:...` of a raster; GridError where it is none or has no CRS."""
    try:
        with rasterio.open(path) as raster:
            crs = CRS(raster.crs.to_string()) if raster.crs else None
            grid = GeoBox(raster.shape, raster.transform, crs)
    except RasterioIOError as error:
        expected = "a georeferenced raster for tile.grid = like:FILE"
        raise GridError(complain(path, str(error), expected, "check the path")) from error
    return format_box(grid)


if __name__ == "__main__":
    try:
        sys.stdout.write(grid_of(Path(sys.argv[1])) + "\n")
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
