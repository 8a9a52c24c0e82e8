from __future__ import annotations

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from nndacss.errors import BandError, MetadataError
from nndacss.readers.landsat.georeference import Header, Placed, place
from nndacss.readers.landsat.metadata import normalise
from nndacss.readers.landsat.mtl import parse
from tests.readers.recipes import Recipe, _text


def placed(recipe: Recipe, plane: str = "REFLECTIVE", **header: object) -> Placed:
    metadata = normalise("x_MTL.txt", parse("x_MTL.txt", _text(recipe.groups()).encode()))
    pan = plane == "PANCHROMATIC"
    facts = {
        "file": "B.TIF",
        "shape": recipe.shape("8" if pan else "2"),
        "dtype": "uint16",
        "crs": None,
        "affine": Affine.identity(),
        "nodata": None,
    }
    return place(Header(**(facts | header)), plane, metadata)


def lonlat(grid: GeoBox, column: float, row: float) -> tuple[float, float]:
    to_degrees = Transformer.from_crs(str(grid.crs), "EPSG:4326", always_xy=True)
    return to_degrees.transform(*(grid.affine @ (column, row)))


def test_corners_are_pixel_centres() -> None:
    found = placed(Recipe())
    assert found.grid.affine == Affine(30, 0, 389985, 0, -30, 5689215)
    assert found.grid.shape == (12, 10)
    assert found.grid.crs.epsg == 32632
    assert not found.assumed


def test_pan_centres_coincide_at_the_upper_left() -> None:
    band, pan = placed(Recipe()).grid, placed(Recipe(), "PANCHROMATIC").grid
    assert pan.affine == Affine(15, 0, 389992.5, 0, -15, 5689207.5)
    assert pan.shape == (23, 19)
    assert pan.affine @ (0.5, 0.5) == band.affine @ (0.5, 0.5)
    assert pan.affine @ (18.5, 22.5) == band.affine @ (9.5, 11.5)


def test_southern_scenes_keep_the_northern_zone() -> None:
    recipe = Recipe(zone=21, upper_left=(441000.0, -2188020.0), upper_left_latitude=-19.8)
    grid = placed(recipe).grid
    assert grid.crs.epsg == 32621
    assert grid.affine.f == -2188005
    longitude, latitude = lonlat(grid, 0, 0)
    assert -58 < longitude < -57
    assert -20 < latitude < -19.5


@pytest.mark.parametrize(
    ("zone", "northing", "latitude"), [(-21, 7811980.0, -19.8), (21, 7811980.0, -19.8)]
)
def test_a_southern_zone_where_the_metadata_say_so(
    zone: int, northing: float, latitude: float
) -> None:
    recipe = Recipe(zone=zone, upper_left=(441000.0, northing), upper_left_latitude=latitude)
    grid = placed(recipe).grid
    assert grid.crs.epsg == 32721
    assert lonlat(grid, 0, 0)[1] == pytest.approx(-19.79, abs=0.02)


@pytest.mark.parametrize(
    ("scale", "longitude", "epsg", "corner"),
    [
        (-71.0, 0.0, 3031, (-1500000.0, 1200000.0)),
        (71.0, 0.0, 3995, (600000.0, -600000.0)),
        (70.0, -45.0, 3413, (600000.0, -600000.0)),
    ],
)
def test_polar_stereographic(scale: float, longitude: float, epsg: int, corner: tuple) -> None:
    grid = placed(Recipe(polar=(scale, longitude), upper_left=corner)).grid
    assert grid.crs.epsg == epsg
    assert grid.affine == Affine(30, 0, corner[0] - 15, 0, -30, corner[1] + 15)


def test_polar_stereographic_of_other_parameters() -> None:
    # along the meridian that points straight up, x is 0 and north of it lies the pole
    grid = placed(Recipe(polar=(-71.0, 30.0), upper_left=(15.0, 1500000.0))).grid
    assert grid.crs.epsg is None
    longitude, latitude = lonlat(grid, 0, 0)
    assert longitude == pytest.approx(30, abs=1e-6)
    assert latitude == pytest.approx(-76.2, abs=0.2)
    # and agrees with the registered grid, turned by 30 degrees
    registered = placed(Recipe(polar=(-71.0, 0.0), upper_left=(15.0, 1500000.0))).grid
    assert lonlat(registered, 0, 0)[1] == pytest.approx(latitude, abs=1e-9)


@pytest.mark.parametrize(("zone", "x"), [(60, 628000.0), (1, 366000.0)])
def test_over_the_180th_meridian(zone: int, x: float) -> None:
    recipe = Recipe(zone=zone, upper_left=(x, 7389990.0), lines=100, samples=400)
    grid = placed(recipe).grid
    assert grid.crs.epsg == 32600 + zone
    west, east = lonlat(grid, 0, 0)[0], lonlat(grid, 400, 0)[0]
    assert 179.5 < west < 180
    assert -180 < east < -179.5
    # 12 km at 66.6 degrees north
    assert (east - west) % 360 == pytest.approx(12000 / (111320 * 0.397), abs=0.002)


def test_the_file_wins() -> None:
    affine = Affine(30, 0, 100005, 0, -30, 200025)
    found = placed(Recipe(), shape=(41, 41), crs="EPSG:32733", affine=affine)
    assert found.grid == GeoBox((41, 41), affine, "EPSG:32733")
    half = placed(Recipe(), affine=affine)  # a transform without CRS says too little
    assert half.grid.crs.epsg == 32632
    assert half.grid.affine.c == 389985


@pytest.mark.parametrize("shape", [(24, 20), (23, 20), (25, 21), (24, 19)])
def test_pan_of_a_crop_whose_metadata_are_the_full_scene_s(shape: tuple[int, int]) -> None:
    changes = {"PANCHROMATIC_LINES": 15481, "PANCHROMATIC_SAMPLES": 15161}
    found = placed(Recipe(changes=changes), "PANCHROMATIC", shape=shape)
    assert found.assumed
    assert found.grid.affine @ (0.5, 0.5) == (390000, 5689200)


@pytest.mark.parametrize("shape", [(12, 10), (26, 20), (15481, 100)])
def test_pan_of_any_other_size(shape: tuple[int, int]) -> None:
    with pytest.raises(BandError, match=rf"B.TIF: found {shape[0]} x {shape[1]}.*23 x 19"):
        placed(Recipe(), "PANCHROMATIC", shape=shape)


@pytest.mark.parametrize("shape", [(11, 10), (12, 11), (24, 20)])
def test_wrong_size(shape: tuple[int, int]) -> None:
    with pytest.raises(BandError, match=r"12 x 10, as x_MTL.txt states"):
        placed(Recipe(), shape=shape)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"UTM_ZONE": None}, "no map projection"),
        ({"MAP_PROJECTION": "ALBERS"}, "no map projection"),
        ({"CORNER_LR_PROJECTION_X_PRODUCT": 391000.0}, "m apart"),
        ({"REFLECTIVE_LINES": None}, "no size"),
        ({"ORIENTATION": "NOMINAL"}, "NORTH_UP"),
    ],
)
def test_metadata_that_do_not_place_a_band(changes: dict, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        placed(Recipe(changes=changes))
