"""Shadow by matching: at which offset clouds lie over dark ground."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from nndacss.labels.climate import SCHEME, Climate
from nndacss.models.contrast import shaded
from nndacss.models.darkness import Darkness
from nndacss.models.mask_model import load_mask_model
from nndacss.models.matching import Matching
from nndacss.models.odds import moved
from nndacss.models.shadow_match import found, matched
from nndacss.sensors import REFLECTIVE
from tests.models.small import save_small

CLASSES = SCHEME.classes
SIDE = 256


def shifted(plane: np.ndarray, down: int, across: int) -> np.ndarray:
    """Moved over the edge and in again; the clouds of these tests do not reach it."""
    return np.roll(plane, (down, across), (0, 1))


def sky(seed: int = 0, count: int = 12) -> np.ndarray:
    """(rows, columns) bool: round clouds of 3 to 9 pixels, 80 pixels and more from the edges."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:SIDE, :SIDE]
    cloud = np.zeros((SIDE, SIDE), bool)
    for _ in range(count):
        y, x = random.uniform(85, 170, 2)
        cloud |= np.hypot(down - y, across - x) < random.uniform(3, 9)
    return cloud


def darker(shadow: np.ndarray, by: float = 0.4, seed: int = 1) -> np.ndarray:
    """Contrast of ground that varies by 0.1, and of shadows on it."""
    ground = np.random.default_rng(seed).normal(0, 0.1, shadow.shape)
    return (ground + by * shadow).astype(np.float32)


@pytest.mark.parametrize("offset", [(-20, -12), (30, -25), (0, -9), (-41, -1)])
def test_the_offset_is_found(offset):
    cloud = sky()
    best = found(cloud, darker(shifted(cloud, *offset)), Matching())
    assert best is not None
    assert (best.down, best.across) == offset
    assert best.strength == 1
    assert offset in best.steps


def test_what_it_says_by_hand():
    cloud = sky()
    shadow = shifted(cloud, -20, -12)
    # all ground is alike and dark enough, so only the match tells
    contrast = np.where(shadow, np.float32(0.4), np.float32(0.2))
    says = matched(cloud, contrast, Matching(most=2.0, least=-1.5, alike=0.99))
    assert says.dtype == np.float32
    inside = ndimage.binary_erosion(shadow, np.ones((7, 7)))
    np.testing.assert_allclose(says[inside], 2.0, atol=0.15)
    far = ~ndimage.binary_dilation(shadow, np.ones((7, 7)))
    far[SIDE - 20 :], far[:, SIDE - 12 :] = False, False
    np.testing.assert_allclose(says[far], -1.5, atol=0.15)
    # what lies so far from the eastern and the southern edge is shaded from beyond them, if at all
    np.testing.assert_array_equal(says[SIDE - 20 :], 0)
    np.testing.assert_array_equal(says[:, SIDE - 12 :], 0)


def test_bright_ground_is_no_shadow_though_a_cloud_casts_one_there():
    cloud = sky()
    shadow = shifted(cloud, -20, -12)
    contrast = darker(shadow)
    bright = shadow & (np.arange(SIDE) % 2 == 0)
    contrast[bright] = -0.05
    contrast[shadow & ~bright] = 0.6
    says = matched(cloud, contrast, Matching())
    assert says[bright].max() == 0
    assert np.median(says[shadow & ~bright]) > 2


def test_clouds_of_other_heights():
    low, high = sky(2, 7), sky(3, 7)
    high &= ~low
    shadow = shifted(low, -10, -10) | shifted(high, -18, -18)
    says = matched(low | high, darker(shadow), Matching())
    assert (says[shifted(low, -10, -10)] > 0).mean() > 0.8
    assert (says[shifted(high, -18, -18)] > 0).mean() > 0.8


@pytest.mark.parametrize("offset", [(-20, 12), (0, -90), (2, -2)])
def test_shadows_east_too_far_or_too_near_are_none(offset):
    cloud = sky()
    best = found(cloud, darker(shifted(cloud, *offset)), Matching())
    assert best is None or (best.down, best.across) != offset


def test_ground_without_shadow_says_little():
    cloud = sky()
    strengths = []
    for seed in range(8):
        best = found(cloud, darker(np.zeros_like(cloud), seed=seed), Matching())
        strengths.append(0 if best is None else best.strength)
    assert max(strengths) < 0.4
    for nothing in (np.zeros_like(cloud), np.ones_like(cloud)):
        assert found(nothing, darker(cloud), Matching()) is None
    assert found(cloud, np.full(cloud.shape, np.nan, np.float32), Matching()) is None


def test_gaps():
    cloud = sky()
    contrast = darker(shifted(cloud, -20, -12))
    contrast[:, 120:140] = np.nan
    best = found(cloud, contrast, Matching())
    assert best is not None
    assert (best.down, best.across) == (-20, -12)
    says = matched(cloud, contrast, Matching())
    assert np.isfinite(says).all()
    assert says[:, 120:140].max() == 0


@pytest.mark.parametrize("shape", [(32, 256), (64, 64), (256, 40)])
def test_small_tiles(shape):
    cloud = np.zeros(shape, bool)
    cloud[10:20, 20:30] = True
    says = matched(cloud, darker(cloud), Matching())
    assert says.shape == shape
    assert np.isfinite(says).all()


def test_it_is_taken_from_clear_ground_alone():
    cloud = sky()
    shadow = shifted(cloud, -20, -12)
    pixels = np.full((6, SIDE, SIDE), 0.3, np.float32)
    pixels[:, shadow] *= 0.75
    pixels[:, cloud] = 0.6
    before = np.empty((4, SIDE, SIDE), np.float32)
    before[:] = np.array([0.8, 0.1, 0.05, 0.05])[:, None, None]
    before[:, cloud] = np.array([0.05, 0.02, 0.03, 0.9])[:, None]
    plain, match = (
        shaded(before, pixels, REFLECTIVE, CLASSES, Darkness(matching=how))
        for how in (None, Matching())
    )
    others = [Climate.SNOW, Climate.CLOUD]
    np.testing.assert_array_equal(match[others], plain[others])
    np.testing.assert_allclose(match.sum(axis=0), 1, atol=1e-5)
    grown = np.log(match[Climate.SHADOW] / match[Climate.CLEAR])
    grown -= np.log(plain[Climate.SHADOW] / plain[Climate.CLEAR])
    assert np.median(grown[shadow & ~cloud]) > 2
    assert np.median(grown[100:, :200][~(shadow | cloud)[100:, :200]]) < -0.9


def test_odds_by_hand():
    before = np.array([0.5, 0.25, 0.05, 0.2], np.float32)[:, None, None]
    after = moved(before, 1, 0, np.array([[np.log(6)]]))
    # 0.25 to 0.5 becomes 3 to 1
    np.testing.assert_allclose(after[:, 0, 0], (0.1875, 0.5625, 0.05, 0.2), atol=1e-6)
    np.testing.assert_array_equal(moved(before, 1, 0, np.array([[np.nan]])), before)


def test_it_is_part_of_the_weights(tmp_path):
    cards = [
        load_mask_model(save_small(tmp_path, name, darkness=darkness), "cpu", threads=1).card
        for name, darkness in (("a", {"matching": {}}), ("b", {}))
    ]
    assert cards[0].darkness.matching == Matching()
    assert cards[0].sha256 != cards[1].sha256


@pytest.mark.parametrize("wrong", [{"sure": (3, 1)}, {"dark": (0.1, 0.1)}, {"nearest": 80}])
def test_settings(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Matching(**wrong)
