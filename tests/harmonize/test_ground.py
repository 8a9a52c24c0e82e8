"""Where the networks are wanted: by hand on a small mask, and against distances of all pixels."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from scipy.ndimage import distance_transform_edt

from nndacss.harmonize.ground import FEATHER, masked

SIDE = 64


def raster(path, codes, left, top):
    affine = Affine(10, 0, left, 0, -10, top)
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "crs": "EPSG:32632"}
    size = {"height": codes.shape[0], "width": codes.shape[1], "transform": affine}
    with rasterio.open(path, "w", **profile, **size) as file:
        file.write(codes[None])
    return GeoBox(codes.shape, affine, "EPSG:32632")


@pytest.fixture
def ground(tmp_path):
    """8 x 8 windows less a rim, all cloud but for a pixel of ground in four of them."""
    codes = np.full((8 * SIDE - 9, 8 * SIDE - 7), 3, dtype=np.uint8)
    codes[:, :20] = 255
    codes[100, 300] = 0  # window row 1, column 4 of the raster's corner
    codes[150, 310] = 1  # shadow is none
    codes[300, 90] = 2
    codes[300, 91 + SIDE] = 0
    codes[-1, -1] = 0
    # the raster starts 5 columns and 3 rows into its first windows
    grid = raster(tmp_path / "labels.tif", codes, 4992 * SIDE * 10 + 50, 7812 * SIDE * 10 - 30)
    return masked(tmp_path / "labels.tif", SIDE), grid, codes


def test_windows_with_a_pixel_of_ground_are_active(ground):
    found, _, _ = ground
    expected = {((3 + 100) // SIDE, (5 + 300) // SIDE), ((3 + 300) // SIDE, (5 + 90) // SIDE)}
    expected |= {((3 + 300) // SIDE, (5 + 91 + SIDE) // SIDE), (7, 7)}
    assert found.active == {(row - 7812, column + 4992) for row, column in expected}


def test_weight_is_the_distance_to_active_windows(ground):
    found, grid, _ = ground
    active = np.zeros((8 * SIDE, 8 * SIDE), dtype=bool)
    for row, column in found.active:
        top, left = (row + 7812) * SIDE, (column - 4992) * SIDE
        active[top : top + SIDE, left : left + SIDE] = True
    # twice as fine, so that windows' edges are pixels' edges
    fine = active.repeat(2, axis=0).repeat(2, axis=1)
    distance = distance_transform_edt(~fine)[1::2, 1::2] / 2  # of pixel centres, to 0.5 px
    inside = np.s_[3 : 3 + grid.shape[0], 5 : 5 + grid.shape[1]]
    weight = found.weight(grid)
    assert np.array_equal(weight == 1, active[inside])
    expected = np.cos(np.pi / 2 * np.minimum(distance[inside] / FEATHER, 1)) ** 2
    assert np.abs(weight - expected).max() < 0.06
    assert (weight[distance[inside] > FEATHER + 1] == 0).all()


def test_any_window_gives_its_piece(ground):
    found, grid, codes = ground
    weight = found.weight(grid)
    for at in (np.s_[0:64, 0:64], np.s_[90:130, 280:330], np.s_[440:503, 430:505]):
        assert np.array_equal(found.weight(grid[at]), weight[at])
        assert np.array_equal(found.snow(grid[at]), codes[at] == 2)
    beyond = GeoBox((100, 100), grid.affine @ Affine.translation(-50, -60), grid.crs)
    snow = found.snow(beyond)
    assert not snow[:60].any()
    assert np.array_equal(snow[60:, 50:], codes[:40, :50] == 2)
