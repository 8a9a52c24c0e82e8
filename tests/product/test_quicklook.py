"""Pictures: one stretch for both sides, nodata see-through, sizes bounded."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image

from nndacss.product import quicklook, sheets
from nndacss.product.publish import PICTURES
from tests.product.conftest import NAME, grid_10m, make_scene, plane_30m


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_small_varied_and_clear_of_nodata(product, name, truth):
    with Image.open(product / f"{NAME}_sr_{name}.png") as file:
        picture = np.asarray(file)
    assert max(picture.shape[:2]) <= quicklook.SIDE
    assert picture.shape[2] == 4
    assert picture[..., :3].std() > 5
    if not name.startswith("detail"):
        assert picture.shape[:2] == truth.shape  # this product is smaller than a quicklook
        assert np.array_equal(picture[..., 3] == 0, truth == 255)


def test_stretch_is_linear_between_its_ends():
    look = quicklook.Stretch((0.1,), (0.5,), gamma=1.0)
    found = look(np.array([[[0.0, 0.1, 0.3, 0.5, 9.0, np.nan]]], dtype=np.float32))
    assert found[0, :, 0].tolist() == [0, 0, 128, 255, 255, 0]
    assert found[0, :, 1].tolist() == [255, 255, 255, 255, 255, 0]


def test_clouds_do_not_set_the_stretch():
    pixels = np.full((3, 10, 10), 0.1, dtype=np.float32)
    pixels[:, :, 5:] = 0.3
    pixels[:, 8:] = 1.0
    clear = np.ones((10, 10), dtype=bool)
    clear[8:] = False
    assert quicklook.stretch(pixels, clear).high[0] == pytest.approx(0.3, abs=0.01)
    assert quicklook.stretch(pixels, ~clear).high[0] == pytest.approx(1.02, abs=0.03)


def test_a_large_grid_is_shown_with_its_whole_extent():
    grid = GeoBox((23_000, 11_500), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    small = quicklook.small(grid)
    assert small.shape == (1024, 512)
    assert small.extent.boundingbox.bbox == pytest.approx(grid.extent.boundingbox.bbox)


def test_overlay_colours_classes_and_leaves_clear_ground():
    picture = np.full((1, 4, 4), 100, dtype=np.uint8)
    picture[..., 3] = [[255, 255, 255, 0]]
    codes = np.array([[0, 3, 1, 3]], dtype=np.uint8)
    labels = sheets.mask().labels
    found = quicklook.overlay(picture, codes, labels)
    assert found[0, 0].tolist() == [100, 100, 100, 255]
    assert found[0, 1, :3].tolist() == [round(40 + 0.6 * c) for c in (240, 140, 40)]
    assert found[0, 2, :3].tolist() == [round(40 + 0.6 * c) for c in (63, 48, 112)]
    assert found[0, 3].tolist() == [100, 100, 100, 0]


def test_scene_pixels_are_squares_of_the_scene():
    scene = make_scene()
    grid = GeoBox((60, 60), Affine(10, 0, 503_025, 0, -10, 4_996_995), "EPSG:32632")
    found = quicklook.scene_pixels(scene, ("red",), grid)[0]
    blocks = found.reshape(20, 3, 20, 3)
    assert np.array_equal(blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3)))
    own = scene.pixels[2, 100:120, 100:120]
    assert blocks[:, 0, :, 0] == pytest.approx(own, abs=6e-5)


def test_scene_view_of_a_coarse_grid_is_the_average():
    scene = make_scene()
    plane = plane_30m()
    coarse = GeoBox((24, 22), plane.affine @ Affine.scale(10), plane.crs)
    found = quicklook.scene_view(scene, ("blue",), coarse)[0]
    expected = scene.pixels[0].reshape(24, 10, 22, 10).mean(axis=(1, 3))
    valid = ~np.isnan(expected)
    assert found[valid] == pytest.approx(expected[valid], abs=1e-5)


def test_the_detail_lies_on_clear_and_valid_ground(product, truth):
    sheet = sheets.reflectance(("blue", "green", "red", "nir08", "swir16", "swir22"), "SR")
    path = product / f"{NAME}_sr_reflectance.tif"
    place = quicklook.most_telling(path, sheet, truth, truth.shape)
    assert tuple(part.stop - part.start for part in place) == quicklook.DETAIL
    assert (truth[place] == 255).mean() < (truth == 255).mean()
    assert (truth[place] == 0).mean() > (truth == 0).mean()
    nothing = np.full(truth.shape, 255, dtype=np.uint8)
    assert quicklook.most_telling(path, sheet, nothing, truth.shape) is None
    assert grid_10m().shape == truth.shape


def test_negative_reflectance_is_black_and_does_not_tint():
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0.0, 0.2, (3, 50, 50)).astype(np.float32)
    pixels[2, :2] = -0.15
    look = quicklook.stretch(pixels, np.ones((50, 50), dtype=bool))
    assert min(look.low) >= 0
    spans = [high - low for low, high in zip(look.low, look.high, strict=True)]
    assert spans == pytest.approx([spans[0]] * 3)
    assert look(pixels)[0, 0, 2] == 0
