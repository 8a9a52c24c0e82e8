"""Painted clouds and shadows beside those that people labelled in real images."""

import shutil

import numpy as np
import pytest
from scipy import ndimage

from nndacss.datasets.biome_chips import BiomeChips
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.harvest import build_bank
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.painter import Painter

pytestmark = pytest.mark.slow

SHADOW, CLOUD = 2, 8
CLEAR_GROUND = ("Forest_03_0209", "Forest_08_0805", "Wetlands_01_0416", "Barren_08_0207")
BROKEN = (
    "Barren_03_0207", "Forest_05_0415", "GrassCrops_02_0608", "Shrubland_00_0614",
    "Shrubland_02_1021", "Urban_00_0515", "Wetlands_00_1426",
)  # fmt: skip
MARKED = ("Forest_05_0415", "GrassCrops_02_0608", "Shrubland_00_0614")


def roughness(red, inside):
    """Mean absolute difference of neighbours 1, 2, 4 and 8 pixels apart in bright clouds."""
    found, inside = [], inside & (red > 0.25)
    for lag in (1, 2, 4, 8):
        both = inside[lag:] & inside[:-lag]
        found.append(np.abs(red[lag:] - red[:-lag])[both].mean() if both.sum() > 200 else np.nan)
    return found


def depth(pixels, shadow, cloud):
    """Near infrared and red of shadows over those of clear ground around, one a shadow."""
    blocked = ndimage.binary_dilation(cloud, iterations=4) | ndimage.binary_dilation(shadow)
    found, numbered = [], ndimage.label(shadow)[0]
    for number, box in enumerate(ndimage.find_objects(numbered), 1):
        core = ndimage.binary_erosion(numbered == number)
        wide = tuple(slice(max(0, side.start - 20), side.stop + 20) for side in box)
        around = ndimage.binary_dilation(core[wide], iterations=16) & ~blocked[wide]
        if core.sum() >= 40 and around.sum() >= 30:
            found.append(
                [np.median(pixels[b][core]) / np.median(pixels[b][wide][around]) for b in (3, 2)]
            )
    return found


@pytest.fixture
def images(shared_data, tmp_path):
    """Real images with broken clouds, and painted ones, as (pixels, shadow, cloud)."""
    chips = BiomeChips(folder=shared_data("landsat8-biome-chips"), splits=("train",))
    masks = shared_data("masks-real-shapes") / "cloud-sentinel2-catalogue"
    partly = sorted(file for file in masks.glob("*.png") if file.stat().st_size > 6000)[::12]
    (tmp_path / "masks").mkdir()
    for file in partly:
        shutil.copy(file, tmp_path / "masks")
    build_bank([tmp_path / "masks"], tmp_path / "bank.h5")
    painter = Painter(MaskBank(tmp_path / "bank.h5"), PaintSettings(cover=(0.1, 0.4)))

    def seen(name):
        chip = chips.load(name)
        return chip.pixels, chip.sets == SHADOW, chip.sets == CLOUD

    def painted(number):
        chip = chips.load(CLEAR_GROUND[number % 4])
        rng = np.random.default_rng(number)
        pixels, sets = painter.paint(chip.pixels, chip.sets, chip.roles, 30.0, None, rng)
        untouched = chip.sets != SHADOW
        return pixels, (sets == SHADOW) & untouched, sets & CLOUD != 0

    return seen, painted


def test_clouds_are_as_rough_as_real_ones(images):
    seen, painted = images
    made = [painted(number) for number in range(30)]
    real = np.nanmedian([roughness(p[2], c) for p, _, c in map(seen, BROKEN)], axis=0)
    ours = np.nanmedian([roughness(p[2], c) for p, _, c in made], axis=0)
    assert np.all((ours / real > 0.65) & (ours / real < 1.55)), (ours, real)


def test_shadows_are_as_deep_as_real_ones(images):
    seen, painted = images
    real = np.array([ratio for image in map(seen, MARKED) for ratio in depth(*image)])
    ours = np.array([ratio for n in range(30) for ratio in depth(*painted(n))])
    assert len(real) >= 8
    assert len(ours) >= 20
    # near infrared; the ground differs, so that the quarter of the deepest shadows is compared
    deep = np.quantile(ours[:, 0], 0.25) / np.quantile(real[:, 0], 0.25)
    assert 0.8 < deep < 1.25, deep
    # red keeps more light than near infrared, in both
    assert np.median(real[:, 1] / real[:, 0]) > 1
    assert np.median(ours[:, 1] / ours[:, 0]) > 1
