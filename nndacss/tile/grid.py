"""The output grid: where the product's 10 m pixels lie.

Sentinel-2's lattice has its edges at multiples of 10 m in UTM. Landsat's 30 m edges lie at
30k + 15 m and the pan band's 15 m edges at 15k + 7.5 m, so nothing nests; bands are warped from
their own georeference (`nndacss.tile.warp`), never resized by shape.
"""

from __future__ import annotations

import math

import mgrs
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from odc.geo.geom import BoundingBox, Geometry, box, multipolygon

from nndacss.errors import GridError, complain
from nndacss.tile.settings import TileSettings

#: Pixel size of the product, metres: Sentinel-2's blue, green, red and near infrared bands.
METRES = 10
#: Sentinel-2 tiles are 109.8 km a side, their upper left corner at a multiple of 60 m that
#: covers the 100 km square of the military grid (ESA S2 PSD 15, section 3.1 and the tiling KML).
SQUARE = 100_000
TILE_PIXELS = 10980
TILE_STEP = 60


def output_grid(scene: GeoBox, settings: TileSettings) -> GeoBox:
    """The product's grid for a scene whose own pixel plane is `scene`.

    Raises GridError where the wanted grid or `bbox` does not touch the scene.
    """
    kind, _, rest = settings.grid.partition(":")
    if kind == "mgrs":
        grid = mgrs_grid(rest)
    elif kind == "box":
        grid = parse_box(rest)
    elif kind in ("s2", "landsat") and not rest:
        grid = _over(scene, kind)
    else:
        expected = "s2, landsat, mgrs:TILE, like:FILE or box:CRS:LEFT,TOP,METRES,ROWS,COLUMNS"
        raise GridError(complain("tile.grid", repr(settings.grid), expected, "correct it"))
    if settings.bbox is not None:
        grid = _crop(grid, settings.bbox)
    _check_overlap(scene, grid, settings)
    return grid


def _over(scene: GeoBox, kind: str) -> GeoBox:
    """`s2` or `landsat` over the whole scene."""
    if kind == "landsat":
        if abs(scene.affine.a - 3 * METRES) > 0.01:
            found = f"a scene of {scene.affine.a:g} m pixels"
            remedy = "leave tile.grid at s2"
            raise GridError(complain("tile.grid = landsat", found, "30 m pixels", remedy))
        rows, columns = (size * 3 for size in scene.shape)
        return GeoBox((rows, columns), scene.affine @ Affine.scale(1 / 3), scene.crs)
    crs = utm_of(scene)
    bounds = scene.footprint(crs, buffer=0, npoints=256).boundingbox
    return snapped(bounds, crs)


def snapped(bounds: BoundingBox, crs: CRS) -> GeoBox:
    """The 10 m grid with edges at multiples of 10 m that covers `bounds`."""
    left, top = math.floor(bounds.left / METRES), math.ceil(bounds.top / METRES)
    right, bottom = math.ceil(bounds.right / METRES), math.floor(bounds.bottom / METRES)
    affine = Affine(METRES, 0, left * METRES, 0, -METRES, top * METRES)
    return GeoBox((top - bottom, right - left), affine, crs)


def utm_of(scene: GeoBox) -> CRS:
    """Sentinel-2's UTM zone for a scene: its own zone where it is in UTM, else by its centre.

    Landsat keeps the northern zone for southern scenes, with negative northings; Sentinel-2
    (and the result here) takes the southern zone for a centre south of the equator.
    """
    centre = scene.footprint("EPSG:4326", buffer=0, npoints=16).centroid
    longitude, latitude = centre.coords[0]
    epsg = scene.crs.epsg if scene.crs is not None else None
    if epsg and (32601 <= epsg <= 32660 or 32701 <= epsg <= 32760):
        zone = epsg % 100
    else:
        zone = int((longitude + 180) // 6) % 60 + 1
    return CRS(f"EPSG:{(32700 if latitude < 0 else 32600) + zone}")


def mgrs_grid(tile: str) -> GeoBox:
    """The full 10980 x 10980 grid of a Sentinel-2 tile such as `32TQM`.

    >>> mgrs_grid("32TQM").affine.c, mgrs_grid("T31TCJ").affine.f
    (699960.0, 4900020.0)
    """
    name = tile.upper().removeprefix("T")
    try:
        zone, hemisphere, easting, northing = mgrs.MGRS().MGRSToUTM(f"{name}0000000000")
    except (mgrs.core.MGRSError, TypeError) as error:
        raise GridError(
            complain("tile.grid", repr(tile), "a tile like 32TQM", "correct it")
        ) from error
    # the square's corner is a multiple of 100 km; the library gives it with float noise
    west, south = (round(value / SQUARE) * SQUARE for value in (easting, northing))
    left = math.floor(west / TILE_STEP) * TILE_STEP
    # southern tiles count their 60 m steps from the equator, at a false northing of 10,000 km
    origin = 10_000_000 if hemisphere == "S" else 0
    top = math.ceil((south + SQUARE - origin) / TILE_STEP) * TILE_STEP + origin
    crs = CRS(f"EPSG:{(32700 if hemisphere == 'S' else 32600) + zone}")
    affine = Affine(METRES, 0, left, 0, -METRES, top)
    return GeoBox((TILE_PIXELS, TILE_PIXELS), affine, crs)


def parse_box(text: str) -> GeoBox:
    """`EPSG:32632:LEFT,TOP,METRES,ROWS,COLUMNS` as a grid; the inverse of `format_box`."""
    crs, _, numbers = text.rpartition(":")
    try:
        left, top, metres, rows, columns = (float(part) for part in numbers.split(","))
        affine = Affine(metres, 0, left, 0, -metres, top)
        if metres <= 0 or rows < 1 or columns < 1:
            raise ValueError("sizes must be positive")
        return GeoBox((int(rows), int(columns)), affine, CRS(crs))
    except ValueError as error:
        expected = "box:CRS:LEFT,TOP,METRES,ROWS,COLUMNS"
        raise GridError(
            complain("tile.grid", f"{text!r} ({error})", expected, "correct it")
        ) from error


def format_box(grid: GeoBox) -> str:
    """A north-up grid of square pixels as text for `tile.grid`; GridError for any other."""
    affine = grid.affine
    if affine.b or affine.d or affine.a <= 0 or affine.a != -affine.e or grid.crs is None:
        expected = "a north-up grid with square pixels and a CRS"
        raise GridError(complain("tile.grid", str(affine), expected, "choose another file"))
    crs = f"EPSG:{grid.crs.epsg}" if grid.crs.epsg else str(grid.crs)
    rows, columns = grid.shape
    return f"box:{crs}:{affine.c!r},{affine.f!r},{affine.a!r},{rows},{columns}"


def lonlat_box(bbox: tuple[float, float, float, float]) -> Geometry:
    """West, south, east, north in degrees as a geometry; two boxes over the 180th meridian."""
    west, south, east, north = bbox
    if west < east:
        return box(west, south, east, north, "EPSG:4326")
    rings = [
        [[(a, south), (b, south), (b, north), (a, north), (a, south)]]
        for a, b in ((west, 180.0), (-180.0, east))
    ]
    return multipolygon(rings, "EPSG:4326")


def _crop(grid: GeoBox, bbox: tuple[float, float, float, float]) -> GeoBox:
    """The part of `grid` that covers `bbox`, whole pixels."""
    west, south, east, north = bbox
    east = east + 360 if west > east else east
    # densified by hand, since a box over the 180th meridian must be projected as one piece
    steps = [i / 32 for i in range(33)]
    outline = [(west + (east - west) * t, lat) for t in steps for lat in (south, north)]
    outline += [(lon, south + (north - south) * t) for t in steps for lon in (west, east)]
    wrapped = [((lon + 180) % 360 - 180, lat) for lon, lat in outline]
    if grid.crs is None:
        raise GridError("the output grid has no CRS, so a bbox in degrees cannot be placed on it")
    projected = CRS("EPSG:4326").transformer_to_crs(grid.crs)(
        [lon for lon, _ in wrapped], [lat for _, lat in wrapped]
    )
    pixels = [~grid.affine @ (x, y) for x, y in zip(*projected, strict=True)]
    columns, rows = zip(*pixels, strict=True)
    first_row, last_row = _span(rows, grid.shape[0])
    first_column, last_column = _span(columns, grid.shape[1])
    if first_row >= last_row or first_column >= last_column:
        raise GridError(_no_overlap(f"bbox {bbox}"))
    return grid[first_row:last_row, first_column:last_column]


def _span(positions: tuple[float, ...], size: int) -> tuple[int, int]:
    if not all(math.isfinite(position) for position in positions):
        return 0, 0
    return max(math.floor(min(positions)), 0), min(math.ceil(max(positions)), size)


def _check_overlap(scene: GeoBox, grid: GeoBox, settings: TileSettings) -> None:
    ours = grid.footprint(scene.crs, buffer=0, npoints=64) if scene.crs else grid.extent
    if not ours.intersects(scene.extent):
        raise GridError(_no_overlap(f"tile.grid = {settings.grid}, bbox = {settings.bbox}"))


def _no_overlap(subject: str) -> str:
    return complain(subject, "no pixel of the scene in it", "an overlap", "choose another area")
