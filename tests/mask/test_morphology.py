"""Growing and cleaning: by hand, and the same from any window with its halo."""

import numpy as np
import pytest

from nndacss.labels.climate import Climate
from nndacss.mask.morphology import active, grown, halo, treat, without_small
from nndacss.mask.settings import MaskSettings

CLEAR, SHADOW, SNOW, CLOUD, NODATA = (int(code) for code in Climate)


def probability_of(labels, second=CLEAR):
    """0.6 for the label, 0.3 for `second`, the rest shared."""
    result = np.full((4, *labels.shape), 0.05, dtype=np.float32)
    result[second] = 0.3
    for code in (CLEAR, SHADOW, SNOW, CLOUD):
        result[code][labels == code] = 0.6
    return result


def test_growing_is_a_disc():
    labels = np.zeros((9, 9), dtype=np.uint8)
    labels[4, 4] = CLOUD
    rows, columns = np.mgrid[-4:5, -4:5]
    expected = rows**2 + columns**2 <= 9
    assert np.array_equal(grown(labels, CLOUD, 3.0) == CLOUD, expected)
    assert expected.sum() == 29  # lattice points in a circle of radius 3


def test_who_may_cover_whom():
    row = np.array([[CLOUD, CLEAR, SHADOW, SNOW, NODATA, CLEAR]], dtype=np.uint8)
    assert grown(row, CLOUD, 9).tolist() == [[CLOUD, CLOUD, CLOUD, CLOUD, NODATA, CLOUD]]
    assert grown(row, SHADOW, 9).tolist() == [[CLOUD, SHADOW, SHADOW, SHADOW, NODATA, SHADOW]]
    assert grown(row, SNOW, 9).tolist() == [[CLOUD, SNOW, SHADOW, SNOW, NODATA, SNOW]]


def test_small_objects_become_their_likeliest_other_class():
    labels = np.zeros((6, 8), dtype=np.uint8)
    labels[0:2, 0:2] = CLOUD  # 4 pixels
    labels[2, 2] = CLOUD  # joined by its corner: 5
    labels[5, 7] = CLOUD  # 1
    probability = probability_of(labels)
    probability[SNOW, 5, 7] = 0.35
    kept = without_small(labels, CLOUD, 5, probability)
    assert kept[2, 2] == CLOUD
    assert kept[5, 7] == SNOW
    assert (without_small(labels, CLOUD, 6, probability) == CLOUD).sum() == 0


def test_nothing_asked_nothing_done():
    assert not active(MaskSettings())
    assert halo(MaskSettings(), 10) == 0
    settings = MaskSettings(dilate={"cloud": 55}, smallest={"shadow": 0.05})
    assert active(settings)
    assert halo(settings, 10) == 6 + 5


@pytest.mark.parametrize("seed", range(4))
def test_a_window_with_its_halo_is_enough(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 3, 255], (150, 150), p=[0.6, 0.12, 0.1, 0.15, 0.03])
    labels = labels.astype(np.uint8)
    probability = rng.random((4, 150, 150), dtype=np.float32)
    settings = MaskSettings(
        dilate={"cloud": 30, "shadow": 20, "snow": 10}, smallest={"cloud": 0.06, "shadow": 0.04}
    )
    around = halo(settings, 10)
    whole = treat(labels, probability, settings, 10)
    assert (whole != labels).mean() > 0.1
    for _ in range(10):
        top, left = rng.integers(around, 150 - around - 20, 2)
        wide = np.s_[top - around : top + 20 + around, left - around : left + 20 + around]
        window = treat(labels[wide], probability[(slice(None), *wide)], settings, 10)
        inside = np.s_[around : around + 20, around : around + 20]
        assert np.array_equal(window[inside], whole[top : top + 20, left : left + 20])
