"""Thin cloud by haze: blue less half of red, against clear ground around."""

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.labels.climate import SCHEME, Climate
from nndacss.models.haze import Haze, check
from nndacss.models.mask_model import load_mask_model
from nndacss.models.veil import veiled
from nndacss.sensors import REFLECTIVE
from tests.models.small import save_small

CLASSES = SCHEME.classes
SIDE = 256
PATCH = np.s_[100:112, 60:72]
#: 144 pixels, 29 and more from the patch.
SKY = np.s_[100:112, 100:112]


def scene(blue: float = 0.0, red: float = 0.0) -> np.ndarray:
    """Ground of 0.1 in blue and 0.12 in red, brighter by so much in the patch."""
    pixels = np.full((6, SIDE, SIDE), 0.3, dtype=np.float32)
    pixels[0], pixels[2] = 0.1, 0.12
    pixels[(0, *PATCH)] += blue
    pixels[(2, *PATCH)] += red
    return pixels


def opinion(cloud: float = 0.2) -> np.ndarray:
    """Probabilities of a network: so likely cloud, 0.05 each of shadow and snow, clear the rest.

    It is sure of one cloud.
    """
    result = np.full((4, SIDE, SIDE), 0.05, dtype=np.float32)
    result[Climate.CLOUD], result[Climate.CLEAR] = cloud, 0.9 - cloud
    result[(slice(None), *SKY)] = np.array([0.01, 0.01, 0.01, 0.97])[:, None, None]
    return result


def moved(pixels: np.ndarray, before: np.ndarray, **options: object) -> np.ndarray:
    """By how much the odds of cloud against clear ground have grown; the rest must have stayed."""
    given = before.copy()
    after = veiled(before, pixels, REFLECTIVE, CLASSES, Haze(**({"near": 100.0} | options)))
    np.testing.assert_array_equal(before, given)
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=0), 1, atol=1e-5)
    others = [Climate.SHADOW, Climate.SNOW]
    np.testing.assert_array_equal(after[others], before[others])
    odds = [np.log(one[Climate.CLOUD] / one[Climate.CLEAR]) for one in (before, after)]
    return odds[1] - odds[0]


@pytest.mark.parametrize(
    ("blue", "red", "expected"),
    [
        (0.04, 0.04, 50 * (0.02 - 0.01)),  # thin cloud: 0.04 - 0.04 / 2
        (0.03, 0.06, 50 * (0.00 - 0.01)),  # brighter soil
        (0.00, 0.02, -1.0),  # 50 * (-0.01 - 0.01)
        (0.20, 0.20, 2.0),  # no more than this
        (0.00, 0.50, -1.5),  # nor less than this
    ],
)
def test_by_hand(blue, red, expected):
    # the patch is 144 of some 4000 pixels around, so the ground's mean is off by 4 % of the lift
    by = moved(scene(blue, red), opinion(), slope=50.0, start=0.01, least=-1.5, most=2.0)
    slack = 0.1 * 50 * abs(blue - red / 2) if abs(expected) not in (1.5, 2.0) else 1e-4
    np.testing.assert_allclose(by[PATCH], expected, atol=slack + 1e-4)
    np.testing.assert_allclose(by[230:, 200:], -0.5, atol=1e-3)


def test_it_counts_for_cloud_beside_large_clouds_alone():
    pixels, before = scene(0.04, 0.04), opinion()
    whole = moved(pixels, before)
    assert whole[PATCH].min() > 0.5
    # 30 pixels in full, then to 1/e in 20: the patch's nearest column is 29 away, its last 40
    by = moved(pixels, before, near=30.0, fade=20.0)
    np.testing.assert_allclose(by[106, 71], whole[106, 71], rtol=1e-5)
    np.testing.assert_allclose(by[106, 60], whole[106, 60] * np.exp(-10 / 20), rtol=1e-4)
    # 144 pixels are too few; what speaks against cloud counts all the same
    none = moved(pixels, before, cloud=145)
    np.testing.assert_allclose(none[PATCH], 0, atol=1e-6)
    np.testing.assert_allclose(none[230:, 200:], whole[230:, 200:], atol=1e-6)
    assert whole[230:, 200:].max() < -0.9


def test_clouds_and_what_is_near_them_are_no_ground():
    pixels, before = scene(0.04, 0.04), opinion()
    plain = moved(pixels, before)[PATCH]
    pixels[0, 118:150, 60:92] = 0.5
    before[:, 120:148, 62:90] = np.array([0.01, 0.01, 0.01, 0.97])[:, None, None]
    # some ground less to compare with, all of it alike
    np.testing.assert_allclose(moved(pixels, before, grow=3)[PATCH], plain, atol=0.1)
    assert moved(pixels, before, grow=0)[PATCH].max() < plain.min() - 1


def test_where_little_is_clear_nothing_changes():
    fog = opinion()
    fog[:] = np.array([0.03, 0.0, 0.0, 0.97])[:, None, None]
    fog[(slice(None), *PATCH)] = np.array([0.6, 0.0, 0.0, 0.4])[:, None, None]
    after = veiled(fog, scene(-0.05, 0.0), REFLECTIVE, CLASSES, Haze())
    np.testing.assert_allclose(after, fog, atol=1e-6)
    # at the other end: all is clear
    np.testing.assert_allclose(moved(scene(), opinion(0.001), least=-1.0)[PATCH], -1.0, atol=1e-3)


def test_gaps_change_nothing_and_hide_nothing():
    whole, pixels = scene(0.04, 0.04), scene(0.04, 0.04)
    pixels[0, 140:] = np.nan
    pixels[2, 100:106, 60:72] = np.nan
    by = moved(pixels, opinion(), start=0.0)
    np.testing.assert_allclose(by[140:], 0, atol=1e-6)
    np.testing.assert_allclose(by[100:106, 60:72], 0, atol=1e-6)
    np.testing.assert_allclose(
        by[106:112, 60:72], moved(whole, opinion(), start=0.0)[106:112, 60:72], atol=0.15
    )
    pixels[2] = np.nan
    assert veiled(opinion(), pixels, REFLECTIVE, CLASSES, Haze()).tolist() == opinion().tolist()


def test_a_certain_network_stays_certain():
    before = np.zeros((4, SIDE, SIDE), np.float32)
    before[Climate.CLEAR] = 1
    before[:, 5] = np.array([0, 0, 1, 0])[:, None]
    after = veiled(before, scene(0.3, 0.0), REFLECTIVE, CLASSES, Haze())
    np.testing.assert_array_equal(after, before)


def test_it_is_part_of_the_weights(tmp_path):
    hazy, plain = (
        load_mask_model(save_small(tmp_path, name, haze=haze), "cpu", threads=1)
        for name, haze in (("a", {"enough": 1e-3, "grow": 0}), ("b", None))
    )
    assert hazy.card.sha256 != plain.card.sha256
    pixels = np.random.default_rng(0).uniform(0.05, 0.4, (6, 96, 96)).astype(np.float32)
    change = np.abs(hazy(pixels).probability - plain(pixels).probability)
    assert change[[Climate.CLEAR, Climate.CLOUD]].max() > 0.01
    assert change[[Climate.SHADOW, Climate.SNOW]].max() < 1e-6


def test_what_it_needs():
    with pytest.raises(SettingsError, match=r"train\.haze: found no class cloud"):
        check(REFLECTIVE, ("clear", "water"))
    with pytest.raises(SettingsError, match=r"train\.haze: found no band blue in the network"):
        check(("green", "red"), CLASSES)
