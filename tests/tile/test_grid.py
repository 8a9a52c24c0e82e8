"""Output grids: the Sentinel-2 lattice, tiles, areas, both hemispheres, poles, 180th meridian."""

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.errors import GridError
from nndacss.tile.grid import format_box, mgrs_grid, output_grid, parse_box, utm_of
from nndacss.tile.settings import TileSettings

NORTH = GeoBox((300, 200), Affine(30, 0, 399_985 + 30, 0, -30, 5_600_025), "EPSG:32632")
SOUTH = GeoBox((901, 667), Affine(30, 0, 440_985, 0, -30, -2_188_005), "EPSG:32621")


def test_sentinel2_lattice():
    grid = output_grid(NORTH, TileSettings())
    assert grid.crs.epsg == 32632
    assert (grid.affine.a, grid.affine.e) == (10, -10)
    assert grid.affine.c % 10 == 0
    assert grid.affine.f % 10 == 0
    # covers 400015..406015, 5591025..5600025: 5 m more on either side
    assert (grid.affine.c, grid.affine.f, grid.shape) == (400_010, 5_600_030, (901, 601))


def test_southern_scene_in_a_northern_zone_becomes_southern():
    grid = output_grid(SOUTH, TileSettings())
    assert grid.crs.epsg == 32721
    assert (grid.affine.c, grid.affine.f) == (440_980, 7_812_000)


def test_landsat_grid_nests_in_the_pixels():
    grid = output_grid(SOUTH, TileSettings(grid="landsat"))
    assert grid.crs.epsg == 32621
    assert grid.shape == (2703, 2001)
    assert grid.affine.almost_equals(Affine(10, 0, 440_985, 0, -10, -2_188_005))


def test_landsat_grid_is_for_30_m_pixels():
    with pytest.raises(GridError, match="a scene of 10 m pixels; expected 30 m pixels"):
        output_grid(NORTH.zoom_to(resolution=10), TileSettings(grid="landsat"))


@pytest.mark.parametrize(
    ("tile", "epsg", "left", "top"),
    # corners that real products state: 31TCJ in its tile metadata; T53HNV (top) and T53HNA (left;
    # bottom 5,990,200) in the GML quality masks of products of 2016-09-05
    [
        ("31TCJ", 32631, 300_000, 4_900_020),
        ("T53HNV", 32753, 499_980, 6_000_040),
        ("53HNA", 32753, 499_980, 5_990_200 + 109_800),
    ],
)
def test_tiles(tile, epsg, left, top):
    grid = mgrs_grid(tile)
    assert (grid.crs.epsg, grid.affine.c, grid.affine.f) == (epsg, left, top)
    assert grid.shape == (10980, 10980)


def test_tile_that_misses_the_scene():
    with pytest.raises(GridError, match="no pixel of the scene"):
        output_grid(NORTH, TileSettings(grid="mgrs:21KXT"))


@pytest.mark.parametrize(
    "name", ["mgrs:99ZZZ", "mgrs:", "box:EPSG:32632:1,2,3", "s3", "box:nonsense"]
)
def test_names_that_are_no_grid(name):
    with pytest.raises(GridError):
        output_grid(NORTH, TileSettings(grid=name))


def test_bbox_cuts_on_the_same_lattice():
    whole = output_grid(NORTH, TileSettings())
    part = output_grid(NORTH, TileSettings(bbox=(7.60, 50.50, 7.62, 50.52)))
    assert part.shape[0] < whole.shape[0]
    assert (part.affine.c - whole.affine.c) % 10 == 0
    # 0.02 degrees of latitude are 2.2 km, of longitude here 1.4 km
    assert 222 <= part.shape[0] <= 230
    assert 141 <= part.shape[1] <= 148


def test_bbox_outside():
    with pytest.raises(GridError, match="no pixel of the scene"):
        output_grid(NORTH, TileSettings(bbox=(20, 10, 21, 11)))


@pytest.mark.parametrize("bbox", [(179.9, -17.3, -179.9, -17.2), (179.95, -17.3, 179.99, -17.2)])
def test_over_the_180th_meridian(bbox):
    """Zone 60 reaches past 180 degrees; a bbox with west > east crosses it."""
    scene = GeoBox((2000, 2000), Affine(30, 0, 790_005, 0, -30, -1_880_025), "EPSG:32660")
    grid = output_grid(scene, TileSettings(bbox=bbox))
    assert grid.crs.epsg == 32760
    width = (bbox[2] - bbox[0]) % 360
    assert abs(grid.shape[1] * 10 / 106_000 - width) < 0.02


def test_polar_stereographic_goes_to_the_zone_of_its_centre():
    scene = GeoBox((400, 400), Affine(30, 0, -300_015, 0, -30, 1_300_015), "EPSG:3031")
    # longitude = atan2(x, y): about -13 degrees, zone 28
    assert utm_of(scene).epsg == 32728


def test_box_round_trip():
    grid = output_grid(NORTH, TileSettings())
    assert parse_box(format_box(grid).removeprefix("box:")) == grid


def test_settings_refuse_nonsense():
    with pytest.raises(ValueError, match="multiple"):
        TileSettings(window=500, part=2048)
    with pytest.raises(ValueError, match="south < north"):
        TileSettings(bbox=(0, 10, 1, 5))
