"""Whether a scene lies in the user's area, from its metadata alone, before anything is fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nndacss.errors import GridError, complain
from nndacss.readers import SceneIdentity

Point = tuple[float, float]
"""Longitude and latitude, degrees."""
Bbox = tuple[float, float, float, float]

#: Degrees, about 200 m: corners are stated for pixel centres, and to five decimals at best.
_SLACK = 0.002
#: Degrees: nearer to a pole longitudes say little.
_POLAR = 84.0


def is_outside(scene: SceneIdentity, bbox: Bbox | None) -> bool:
    """Whether no pixel of a scene lies in west, south, east, north (degrees).

    False where there is any doubt: the metadata state no corners, the scene is near a pole, or
    the two come as near as the bend of its edges (some 100 m), which lines in degrees do not have.
    """
    outline = scene.outline
    if bbox is None or len(outline) < 3 or any(abs(north) > _POLAR for _, north in outline):
        return False
    first = outline[0][0]
    ring = [(first + (east - first + 180) % 360 - 180, north) for east, north in outline]
    west, south, east, north = _widened(bbox, ring)
    turns = (-360, 0, 360)
    return not any(_meet(ring, (west + turn, south, east + turn, north)) for turn in turns)


def check_inside(scene: SceneIdentity, bbox: Bbox | None) -> None:
    """GridError where a scene that was named lies outside the area: before it is fetched."""
    if is_outside(scene, bbox):
        longitudes, latitudes = zip(*scene.outline, strict=True)
        there = f"{min(longitudes):.2f},{min(latitudes):.2f},{max(longitudes):.2f}"
        expected = f"an overlap with {scene.name}, which lies in {there},{max(latitudes):.2f}"
        remedy = "choose another area"
        subject = f"bbox {','.join(f'{number:g}' for number in bbox or ())}"
        raise GridError(complain(subject, "no pixel of the scene in it", expected, remedy))


def _widened(bbox: Bbox, ring: Sequence[Point]) -> Bbox:
    """The box with what the scene's edges may bend beyond the lines between its corners.

    A straight edge in a map projection lies off the line in degrees by at most the sagitta of
    a parallel of its length: width squared / 8 times sine and cosine of the latitude.
    """
    west, south, east, north = bbox
    east = east + 360 if west > east else east
    longitudes, latitudes = zip(*ring, strict=True)
    latitude = math.radians(max(map(abs, latitudes)))
    width = math.radians(max(longitudes) - min(longitudes))
    bend = math.degrees(width**2 / 8 * math.sin(latitude) * math.cos(latitude))
    up = bend + _SLACK
    across = up / math.cos(latitude)
    return west - across, south - up, east + across, north + up


def _meet(ring: Sequence[Point], box: Bbox) -> bool:
    """Whether a polygon and a box share a point."""
    west, south, east, north = box
    if any(west <= x <= east and south <= y <= north for x, y in ring):
        return True
    corners = [(west, south), (east, south), (east, north), (west, north)]
    if _holds(ring, corners[0]):
        return True
    return any(_cross(*one, *other) for one in _edges(ring) for other in _edges(corners))


def _edges(ring: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))


def _holds(ring: Sequence[Point], point: Point) -> bool:
    """Whether a point lies in a polygon: a ray to the east crosses its edges an odd time."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in _edges(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two lines between points cross."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
