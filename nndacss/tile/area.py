"""The user's area: numbers or a GeoJSON file, as west, south, east, north in degrees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nndacss.errors import GridError, complain

Bbox = tuple[float, float, float, float]


def area_bbox(area: str, bbox: str) -> Bbox:
    """From `--area` (a GeoJSON file) or `--bbox` (four numbers); exactly one is given.

    >>> area_bbox("", "8.5, 50, 9, 50.25")
    (8.5, 50.0, 9.0, 50.25)
    """
    if area and bbox:
        remedy = "give one of them"
        raise GridError(complain("--area and --bbox", "both", "one", remedy))
    return _from_geojson(Path(area)) if area else _from_numbers(bbox)


def _from_numbers(text: str) -> Bbox:
    expected = "west,south,east,north in degrees"
    try:
        west, south, east, north = (float(number) for number in text.split(","))
    except ValueError as error:
        remedy = "write for example --bbox=-5.5,40,-5,40.5"
        raise GridError(complain("--bbox", repr(text), expected, remedy)) from error
    return west, south, east, north


def _from_geojson(path: Path) -> Bbox:
    """Bounding box of all coordinates; one that spans the 180th meridian has west > east."""
    try:
        points = list(_points(json.loads(path.read_text())))
    except OSError as error:
        remedy = "check the path"
        raise GridError(complain(path, str(error.strerror), "a GeoJSON file", remedy)) from error
    except (ValueError, TypeError, KeyError) as error:
        raise GridError(complain(path, f"{error}", "valid GeoJSON", "correct it")) from error
    if not points:
        raise GridError(complain(path, "no coordinates", "a polygon in degrees", "correct it"))
    longitudes, latitudes = zip(*points, strict=True)
    if max(map(abs, longitudes)) > 180 or max(map(abs, latitudes)) > 90:
        found = f"coordinates like {points[0]}"
        remedy = "reproject it to longitude and latitude (EPSG:4326), as GeoJSON requires"
        raise GridError(complain(path, found, "degrees", remedy))
    west, east = min(longitudes), max(longitudes)
    if east - west > 180:  # split at the 180th meridian, as RFC 7946 asks
        west = min(longitude for longitude in longitudes if longitude > 0)
        east = max(longitude for longitude in longitudes if longitude <= 0)
    return west, min(latitudes), east, max(latitudes)


def _points(node: Any) -> Iterator[tuple[float, float]]:
    """All positions of any GeoJSON object."""
    if isinstance(node, dict):
        for key in ("features", "geometry", "geometries", "coordinates"):
            if node.get(key) is not None:
                yield from _points(node[key])
    elif isinstance(node, list) and node and isinstance(node[0], int | float):
        yield float(node[0]), float(node[1])
    elif isinstance(node, list):
        for child in node:
            yield from _points(child)
