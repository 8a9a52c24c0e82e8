"""The map projection and the pixel planes that a metadata file states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nndacss.readers.landsat.fields import Fields


@dataclass(frozen=True)
class Plane:
    """The pixels of one resolution: rows, columns and pixel size in metres."""

    lines: int
    samples: int
    cell: float


@dataclass(frozen=True)
class Projection:
    """Map projection and corners of a product."""

    name: str
    """`UTM` or `PS` (polar stereographic)."""
    zone: int
    """UTM zone, negative where the metadata marks the southern one; 0 for `PS`."""
    central_longitude: float
    true_scale_latitude: float
    false_easting: float
    false_northing: float
    north_up: bool
    upper_left: tuple[float, float]
    """Metres, centre of the upper left pixel (of every resolution: their centres coincide)."""
    lower_right: tuple[float, float]
    """Metres, centre of the lower right pixel of the reflective bands."""
    upper_left_latitude: float | None


def read_planes(fields: Fields, *groups: str) -> Mapping[str, Plane]:
    """Rows, columns and pixel size by resolution, where the metadata state all three."""
    planes = {}
    for name in ("REFLECTIVE", "THERMAL", "PANCHROMATIC"):
        lines = fields.optional(f"{name}_LINES", *groups)
        samples = fields.optional(f"{name}_SAMPLES", *groups)
        cell = fields.optional(f"GRID_CELL_SIZE_{name}", *groups)
        if lines and samples and cell:
            planes[name] = Plane(int(lines), int(samples), cell)
    return planes


def read_projection(fields: Fields, *groups: str) -> Projection | None:
    """The map projection, None where the metadata do not state a known one."""
    name = fields.get("MAP_PROJECTION", *groups)
    corners = ("CORNER_UL_PROJECTION", "CORNER_LR_PROJECTION")
    if name not in ("UTM", "PS") or not fields.get(f"{corners[0]}_X_PRODUCT", *groups):
        return None
    polar = name == "PS"
    if not polar and not fields.get("UTM_ZONE", *groups):
        return None

    def number(key: str) -> float:
        return fields.number(key, *groups)

    upper_left, lower_right = (
        (number(f"{corner}_X_PRODUCT"), number(f"{corner}_Y_PRODUCT")) for corner in corners
    )
    return Projection(
        name=name,
        zone=0 if polar else int(number("UTM_ZONE")),
        central_longitude=number("VERTICAL_LON_FROM_POLE") if polar else 0.0,
        true_scale_latitude=number("TRUE_SCALE_LAT") if polar else 0.0,
        false_easting=fields.optional("FALSE_EASTING", *groups) or 0.0,
        false_northing=fields.optional("FALSE_NORTHING", *groups) or 0.0,
        north_up=fields.get("ORIENTATION", *groups) in (None, "NORTH_UP"),
        upper_left=upper_left,
        lower_right=lower_right,
        upper_left_latitude=fields.optional("CORNER_UL_LAT_PRODUCT", *groups),
    )


def read_outline(fields: Fields, group: str) -> tuple[tuple[float, float], ...]:
    """(longitude, latitude) of the four corners, clockwise; empty where one is not stated."""
    corners = [
        tuple(fields.optional(f"CORNER_{corner}_{axis}_PRODUCT", group) for axis in ("LON", "LAT"))
        for corner in ("UL", "UR", "LR", "LL")
    ]
    found = [(east, north) for east, north in corners if east is not None and north is not None]
    return tuple(found) if len(found) == len(corners) else ()
