"""Where on Earth a product has data: a polygon in degrees, as GeoJSON wants it (RFC 7946).

Across the 180th meridian the polygon is cut in two, and the bounding box has west > east.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from rasterio.features import shapes
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

#: Longest side of the raster whose valid pixels are outlined.
_SIDE = 512
#: Decimals of a degree: a tenth of a metre.
_DECIMALS = 6


def footprint(mask: Path, nodata: int) -> tuple[dict[str, Any], list[float]]:
    """GeoJSON geometry and bounding box of the valid pixels of the raster `mask`."""
    with rasterio.open(mask) as raster:
        grid = GeoBox.from_rio(raster)
        factor = max(1, -(-max(raster.shape) // _SIDE))
        shape = tuple(-(-size // factor) for size in raster.shape)
        codes = raster.read(1, out_shape=shape)
    scale = Affine.scale(grid.shape[1] / shape[1], grid.shape[0] / shape[0])
    return geographic(outline(codes != nodata, grid.affine @ scale, grid), str(grid.crs))


def outline(valid: Any, affine: Affine, grid: GeoBox) -> BaseGeometry:
    """A simple polygon around the True pixels, in the grid's units; all of it if there are none.

    The convex hull where it is hardly larger than the pixels (a scene is a tilted rectangle),
    else their outline; with half a pixel around, inside the grid.
    """
    whole = box(*grid.extent.boundingbox.bbox)
    found = shapes(valid.astype(np.uint8), mask=valid, transform=affine)
    pieces = [Polygon(shape["coordinates"][0]) for shape, _ in found]
    if not pieces:
        return whole
    joined = shapely.union_all(pieces)
    hull = joined.convex_hull
    step = abs(affine.a)
    tight = hull if hull.area <= 1.03 * joined.area else joined
    simple = tight.simplify(step).buffer(step, join_style="mitre", mitre_limit=2.0)
    return simple.intersection(whole)


def geographic(shape: BaseGeometry, crs: str) -> tuple[dict[str, Any], list[float]]:
    """A projected polygon as GeoJSON geometry and bounding box in degrees."""
    left, bottom, right, top = shape.bounds
    dense = shapely.segmentize(shape, max(right - left, top - bottom) / 16)
    to_degrees = CRS(crs).transformer_to_crs(CRS("EPSG:4326"))
    centre = to_degrees([(left + right) / 2], [(bottom + top) / 2])[0][0]

    def transform(points: Any) -> Any:
        longitudes, latitudes = to_degrees(points[:, 0], points[:, 1])
        longitudes = (np.asarray(longitudes) - centre + 180) % 360 - 180 + centre
        return np.round(np.column_stack([longitudes, latitudes]), _DECIMALS)

    degrees = shapely.transform(dense, transform).simplify(1e-4)
    west, south, east, north = degrees.bounds
    pieces = list(_pieces(degrees))
    geometry = mapping(pieces[0] if len(pieces) == 1 else MultiPolygon(pieces))
    return _plain(geometry), [_wrap(west), south, _wrap(east, upper=True), north]


def _pieces(degrees: BaseGeometry) -> list[Polygon]:
    """Polygons within -180..180, exterior rings counter-clockwise."""
    found = []
    for shift in (-360, 0, 360):
        world = box(-180 + shift, -90, 180 + shift, 90)
        part = degrees.intersection(world)
        for piece in getattr(part, "geoms", [part]):
            if isinstance(piece, Polygon) and piece.area > 0:
                moved = shapely.transform(piece, lambda points, by=shift: points - (by, 0))
                found.append(orient(moved.simplify(0)))
    return found


def _wrap(longitude: float, *, upper: bool = False) -> float:
    """Into -180..180; exactly 180 as an eastern edge stays 180."""
    if -180 <= longitude < 180 or (upper and longitude == 180):
        return longitude
    return round((longitude + 180) % 360 - 180, _DECIMALS)


def _plain(value: Any) -> Any:
    """Tuples as lists, numbers rounded: what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return round(value, _DECIMALS) if isinstance(value, float) else value
