"""Footprints in degrees, the 180th meridian included."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon, box, shape

from nndacss.product.footprint import footprint, geographic, outline
from tests.product.conftest import NAME


def test_a_plain_box_in_degrees():
    geometry, bbox = geographic(box(500_000, 5_000_000, 600_000, 5_100_000), "EPSG:32632")
    assert geometry["type"] == "Polygon"
    polygon = shape(geometry)
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    assert polygon.bounds == pytest.approx(bbox)
    assert bbox[0] == pytest.approx(9.0, abs=1e-5)  # the zone's middle meridian
    assert bbox[0] < bbox[2] < 11
    assert polygon.contains(shape({"type": "Point", "coordinates": (9.6, 45.6)}))


@pytest.mark.parametrize(("crs", "left"), [("EPSG:32601", 260_000), ("EPSG:32660", 560_000)])
def test_across_the_meridian_it_is_cut_in_two(crs, left):
    geometry, bbox = geographic(box(left, 7_000_000, left + 180_000, 7_180_000), crs)
    assert geometry["type"] == "MultiPolygon"
    pieces = [shape({"type": "Polygon", "coordinates": part}) for part in geometry["coordinates"]]
    assert len(pieces) == 2
    east, west = sorted(pieces, key=lambda piece: -piece.bounds[0])
    assert east.bounds[2] == 180
    assert west.bounds[0] == -180
    assert all(piece.is_valid and piece.exterior.is_ccw for piece in pieces)
    assert bbox[0] > 170 > -170 > bbox[2]  # RFC 7946: west is east of east
    assert bbox[0] == pytest.approx(east.bounds[0])
    assert bbox[2] == pytest.approx(west.bounds[2])
    area = sum(piece.area for piece in pieces)
    assert 2 < area < 12  # square degrees; not once around the Earth


def test_a_southern_scene_lies_in_the_south():
    _, bbox = geographic(box(500_000, 7_000_000, 530_000, 7_030_000), "EPSG:32721")
    assert -28 < bbox[1] < bbox[3] < -26


def test_a_tilted_scene_is_outlined_tightly():
    rows, columns = np.mgrid[:300, :300]
    valid = (columns + 0.2 * rows > 60) & (columns + 0.2 * rows < 290)
    grid = GeoBox((300, 300), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    found = outline(valid, grid.affine, grid)
    pixels = valid.sum() * 100
    assert pixels <= found.area < 1.05 * pixels
    assert len(found.exterior.coords) < 16


def test_gaps_inside_do_not_shrink_it_and_nothing_is_all():
    grid = GeoBox((50, 50), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    whole = box(0, -500, 500, 0)
    ones = np.ones((50, 50), dtype=bool)
    assert outline(ones, grid.affine, grid).equals(whole)
    ones[10:20, 10:20] = False
    assert outline(ones, grid.affine, grid).equals(whole)
    assert outline(~np.ones((50, 50), dtype=bool), grid.affine, grid).equals(whole)


def test_the_product_holds_its_valid_pixels(product):
    geometry, bbox = footprint(product / f"{NAME}_sr_mask.tif", 255)
    polygon = shape(geometry)
    assert isinstance(polygon, Polygon)
    assert polygon.bounds == pytest.approx(bbox)
    assert 9.0 < bbox[0] < bbox[2] < 9.2
