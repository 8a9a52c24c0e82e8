"""Where a band's pixels lie: from the file where it says so, else from the metadata.

The metadata give the centres of the corner pixels. The upper left centres of all resolutions
coincide, so 30 m edges lie at 30k + 15 m and the pan band's at 15k + 7.5 m, and pan has 2n - 1
pixels to n of the others. UTM is always the northern zone, with negative northings in the south.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, MetadataError, complain
from nndacss.readers.landsat.metadata import Metadata
from nndacss.readers.landsat.projection import Plane, Projection
from nndacss.readers.layers import Header

_REMEDY = "order the product again"
#: (latitude of true scale, longitude straight up from the pole) of the registered grids.
_POLAR = {(-71.0, 0.0): 3031, (71.0, 0.0): 3995, (70.0, -45.0): 3413}


@dataclass(frozen=True)
class Placed:
    """A band's grid, and whether its origin had to be assumed."""

    grid: GeoBox
    assumed: bool = False


def place(header: Header, plane: str, metadata: Metadata) -> Placed:
    """The grid of a file of the resolution `plane` (`REFLECTIVE`, `THERMAL`, `PANCHROMATIC`)."""
    if header.crs is not None and header.affine != Affine.identity():
        return Placed(GeoBox(header.shape, header.affine, _crs(header.crs)))
    projection = metadata.projection
    if projection is None:
        raise MetadataError(
            complain(
                metadata.source,
                f"no map projection, and {header.file} has none either",
                "a CRS in the metadata or in the file",
                _REMEDY,
            )
        )
    if not projection.north_up:
        raise MetadataError(
            complain(metadata.source, "ORIENTATION other than NORTH_UP", "NORTH_UP", _REMEDY)
        )
    cell, assumed = _cell(header, plane, metadata)
    return Placed(GeoBox(header.shape, corner(projection, cell), projected(projection)), assumed)


def corner(projection: Projection, cell: float) -> Affine:
    """Pixel (column, row) edges to metres, from the centre of the upper left pixel."""
    x, y = projection.upper_left
    return Affine(cell, 0.0, x - cell / 2, 0.0, -cell, y + cell / 2)


def projected(projection: Projection) -> CRS:
    """The CRS that the metadata describe."""
    if projection.name == "PS":
        return _polar(projection)
    # a southern zone only where the metadata say so: by a negative zone, or by a positive
    # northing south of the equator
    latitude = projection.upper_left_latitude
    false_northing = latitude is not None and latitude < 0 < projection.upper_left[1]
    south = projection.zone < 0 or false_northing
    return _crs(f"EPSG:{(32700 if south else 32600) + abs(projection.zone)}")


def _polar(projection: Projection) -> CRS:
    parameters = (projection.true_scale_latitude, projection.central_longitude)
    if parameters in _POLAR and not (projection.false_easting or projection.false_northing):
        return _crs(f"EPSG:{_POLAR[parameters]}")
    pole = -90 if projection.true_scale_latitude < 0 else 90
    return _crs(
        f"+proj=stere +lat_0={pole} +lat_ts={projection.true_scale_latitude} "
        f"+lon_0={projection.central_longitude} +x_0={projection.false_easting} "
        f"+y_0={projection.false_northing} +datum=WGS84 +units=m +no_defs"
    )


@lru_cache(maxsize=64)
def _crs(text: str) -> CRS:
    """Kept, since grids are compared by CRS all the time."""
    return CRS(text)


def _cell(header: Header, plane: str, metadata: Metadata) -> tuple[float, bool]:
    """Pixel size for a file without georeference, whose shape must be the one announced.

    Whoever crops a scene by hand may leave the pan band's full size in the metadata: a size that
    fits the other bands is then taken, its origin assumed to be theirs.
    """
    stated, reflective = metadata.planes.get(plane), metadata.planes.get("REFLECTIVE")
    if reflective is None or stated is None:
        raise MetadataError(
            complain(
                metadata.source,
                f"no size or pixel size of the {plane.lower()} bands",
                f"them, since {header.file} has no georeference",
                _REMEDY,
            )
        )
    _check_corners(metadata, reflective)
    if header.shape == (stated.lines, stated.samples):
        return stated.cell, False
    if plane == "PANCHROMATIC" and _twice(header.shape, reflective):
        return stated.cell, True
    raise BandError(
        complain(
            header.file,
            f"{header.shape[0]} x {header.shape[1]} pixels",
            f"{stated.lines} x {stated.samples}, as {metadata.source} states",
            _REMEDY,
        )
    )


def _twice(shape: tuple[int, int], reflective: Plane) -> bool:
    sizes = (reflective.lines, reflective.samples)
    return all(abs(pan - 2 * size) <= 1 for pan, size in zip(shape, sizes, strict=True))


def _check_corners(metadata: Metadata, plane: Plane) -> None:
    """The corners must lie as far apart as the size says."""
    projection = metadata.projection
    if projection is None:
        return
    (left, top), (right, bottom) = projection.upper_left, projection.lower_right
    across = abs((right - left) - (plane.samples - 1) * plane.cell)
    down = abs((top - bottom) - (plane.lines - 1) * plane.cell)
    if max(across, down) >= plane.cell / 2:
        raise MetadataError(
            complain(
                metadata.source,
                f"corners {right - left} x {top - bottom} m apart",
                f"{plane.samples - 1} x {plane.lines - 1} pixels of {plane.cell} m",
                _REMEDY,
            )
        )
