"""Resampling against GDAL's own kernels, hand-worked numbers and exact ramps."""

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import reproject

from nndacss.errors import GridError
from nndacss.tile.warp import Axis, nearest, northern, separable, source_window, warp

LANDSAT = GeoBox((60, 70), Affine(30, 0, 300015, 0, -30, 5000025), "EPSG:32632")
TEN = GeoBox((90, 120), Affine(10, 0, 300300, 0, -10, 4999800), "EPSG:32632")


def by_gdal(pixels, src, dst, resampling):
    result = np.full((len(pixels), *dst.shape), np.nan, dtype=np.float32)
    reproject(
        pixels,
        result,
        src_transform=src.affine,
        src_crs=CRS.from_string(str(src.crs)),
        dst_transform=dst.affine,
        dst_crs=CRS.from_string(str(dst.crs)),
        resampling=resampling,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        tolerance=0,
    )
    return result


@pytest.mark.parametrize(
    ("kernel", "resampling", "dst"),
    [
        ("cubic", Resampling.cubic, TEN),
        ("bilinear", Resampling.bilinear, TEN),
        (
            "average",
            Resampling.average,
            GeoBox((12, 20), Affine(70, 0, 300300, 0, -65, 4999800), "EPSG:32632"),
        ),
    ],
)
def test_same_kernels_as_gdal(kernel, resampling, dst):
    pixels = np.random.default_rng(0).random((2, 60, 70), dtype=np.float32)
    ours = warp(pixels, LANDSAT, dst, kernel)
    assert np.abs(ours - by_gdal(pixels, LANDSAT, dst, resampling)).max() < 1e-6


def test_gaps_agree_with_gdal_where_both_have_a_value():
    pixels = np.random.default_rng(0).random((1, 60, 70), dtype=np.float32)
    pixels[0, 20:25, 30:33] = np.nan
    ours, theirs = warp(pixels, LANDSAT, TEN), by_gdal(pixels, LANDSAT, TEN, Resampling.cubic)
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    assert both.mean() > 0.9
    far = both.copy()  # where no missing pixel is in reach the two are equal
    hole = np.isnan(warp(pixels, LANDSAT, TEN, "bilinear"))[0]
    rows, columns = np.nonzero(hole)
    far[:, rows.min() - 8 : rows.max() + 9, columns.min() - 8 : columns.max() + 9] = False
    assert np.abs(ours - theirs)[far].max() < 1e-6
    # and near it ours never leaves the range of the data by more than the kernel's own overshoot
    assert np.nanmin(ours) > -0.3
    assert np.nanmax(ours) < 1.3


def test_a_pixel_is_missing_exactly_where_the_source_pixel_under_its_centre_is():
    pixels = np.ones((1, 60, 70), dtype=np.float32)
    pixels[0, 30, 40] = np.nan
    result = warp(pixels, LANDSAT, TEN)
    # source pixel (30, 40): x 301215..301245, y 4999125..4999095; centres of 10 m pixels inside
    rows, columns = np.nonzero(np.isnan(result[0]))
    x = 300300 + 10 * columns + 5
    y = 4999800 - 10 * rows - 5
    assert sorted(set(x)) == [301215, 301225, 301235]
    assert sorted(set(y)) == [4999095 + 10, 4999095 + 20, 4999095 + 30]
    assert np.allclose(result[~np.isnan(result)], 1, atol=1e-6)


@pytest.mark.parametrize("kernel", ["cubic", "bilinear"])
@pytest.mark.parametrize("metres", [30, 15])
@pytest.mark.parametrize("south", [False, True])
def test_a_ramp_lands_where_it_was(kernel, metres, south):
    """A plane in map coordinates stays that plane: any shift shows as a constant offset."""
    north = -2_188_005.0 if south else 5_000_025.0
    offset = metres / 2
    src = GeoBox((80, 80), Affine(metres, 0, 440_970 + offset, 0, -metres, north), "EPSG:32621")
    column, row = np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5)
    x, y = src.affine @ (column, row)
    plane = ((x - 440_000) / 10 - (y - north) / 20).astype(np.float32)[None]
    shift = 10_000_000 if south else 0
    top = round((north + shift - 300) / 10) * 10
    dst = GeoBox((40, 40), Affine(10, 0, 441_300, 0, -10, top), f"EPSG:{32721 if south else 32621}")
    u, v = dst.affine @ tuple(np.meshgrid(np.arange(40) + 0.5, np.arange(40) + 0.5))
    expected = (u - 440_000) / 10 - (v - shift - north) / 20
    difference = warp(plane, src, dst, kernel)[0] - expected
    # 0.1 a metre eastwards: 0.5 m would be 0.05
    assert np.abs(difference).max() < 0.005


@pytest.mark.parametrize("metres", [30, 15])
def test_a_point_target_lands_where_it_was(metres):
    src = GeoBox((41, 41), Affine(metres, 0, 500_000 + metres / 2, 0, -metres, 0), "EPSG:32601")
    image = np.zeros((1, 41, 41), dtype=np.float32)
    image[0, 17, 22] = 1
    x, y = src.affine @ (22.5, 17.5)
    dst = GeoBox((130, 130), Affine(10, 0, 500_000, 0, -10, 10_000_000), "EPSG:32701")
    spot = np.clip(warp(image, src, dst, "bilinear")[0], 0, None)
    spot = np.nan_to_num(spot)
    u, v = dst.affine @ tuple(np.meshgrid(np.arange(130) + 0.5, np.arange(130) + 0.5))
    centre = (spot * u).sum() / spot.sum(), (spot * v).sum() / spot.sum()
    assert abs(centre[0] - x) < 0.5
    assert abs(centre[1] - (y + 10_000_000)) < 0.5


def test_hand_worked_cubic_weights():
    """Keys' kernel half a pixel from two neighbours: -1/16, 9/16, 9/16, -1/16."""
    weights = Axis(start=2.0, step=1.0, count=1, size=4).weights("cubic")
    assert np.allclose(weights, [[-0.0625, 0.5625, 0.5625, -0.0625]])


def test_average_is_weighted_by_area():
    src = GeoBox((3, 3), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    dst = GeoBox((1, 1), Affine(15, 0, 0, 0, -15, 0), "EPSG:32632")
    pixels = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    # weights of rows and columns: 10/15 and 5/15
    expected = (4 * 0 + 2 * 1 + 2 * 3 + 1 * 4) / 9
    assert np.isclose(warp(pixels, src, dst, "average")[0, 0, 0], expected)


def test_codes_keep_their_bits():
    codes = np.random.default_rng(1).integers(0, 65535, (1, 60, 70)).astype(np.uint16)
    result = nearest(codes, LANDSAT, TEN, 1)
    assert set(np.unique(result)) <= set(np.unique(codes))
    far = GeoBox((4, 4), Affine(10, 0, 100_000, 0, -10, 4_000_000), "EPSG:32632")
    assert (nearest(codes, LANDSAT, far, 1) == 1).all()


def test_another_zone_goes_through_the_general_road_and_keeps_a_ramp():
    dst = GeoBox((50, 50), Affine(10, 0, -150_000, 0, -10, 5_030_000), "EPSG:32633")
    assert not separable(LANDSAT, dst)
    there = LANDSAT.footprint("EPSG:32633", buffer=0, npoints=8).centroid.coords[0]
    dst = GeoBox(
        (50, 50), Affine(10, 0, round(there[0], -1), 0, -10, round(there[1], -1)), "EPSG:32633"
    )
    column, row = np.meshgrid(np.arange(70) + 0.5, np.arange(60) + 0.5)
    x, _ = LANDSAT.affine @ (column, row)
    result = warp((x - 300_000).astype(np.float32)[None], LANDSAT, dst)[0]
    u, v = dst.affine @ (25.5, 25.5)
    east, _ = dst.crs.transformer_to_crs(LANDSAT.crs)(u, v)
    assert abs(result[25, 25] - (east - 300_000)) < 0.5


def test_both_hemispheres_of_a_zone_are_one_plane():
    south = GeoBox((5, 5), Affine(10, 0, 300_000, 0, -10, 7_800_000), "EPSG:32721")
    assert northern(south) == GeoBox(
        (5, 5), Affine(10, 0, 300_000, 0, -10, -2_200_000), "EPSG:32621"
    )


def test_nothing_in_common_gives_nothing():
    far = GeoBox((4, 4), Affine(10, 0, 100_000, 0, -10, 4_000_000), "EPSG:32632")
    rows, columns = source_window(LANDSAT, far)
    assert LANDSAT[rows, columns].shape[0] * LANDSAT[rows, columns].shape[1] == 0
    assert np.isnan(warp(np.ones((1, 60, 70), np.float32), LANDSAT, far)).all()


def test_pixels_must_fit_their_grid():
    with pytest.raises(GridError, match="their grid"):
        warp(np.zeros((1, 3, 3), np.float32), LANDSAT, TEN)


@settings(max_examples=25, deadline=None)
@given(st.integers(-30, 150), st.integers(-30, 100), st.integers(1, 80))
def test_the_source_window_is_enough(left, top, size):
    """Reading only the window that is needed changes nothing."""
    pixels = np.random.default_rng(2).random((1, 60, 70), dtype=np.float32)
    affine = Affine(10, 0, 300_000 + 10 * left, 0, -10, 5_000_000 - 10 * top)
    dst = GeoBox((size, size), affine, "EPSG:32632")
    rows, columns = source_window(LANDSAT, dst)
    window = warp(pixels[:, rows, columns], LANDSAT[rows, columns], dst)
    assert np.allclose(window, warp(pixels, LANDSAT, dst), atol=2e-6, equal_nan=True)
