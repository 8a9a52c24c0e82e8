"""Mixtures: what is drawn, and whose share is counted."""

import numpy as np
import pytest

from nndacss.compose.mix_channels import METHOD
from nndacss.compose.options import ComposeOptions, MixChannelsOptions
from tests.compose.places import place


def shares(seed, **mix):
    """(6, rows, columns) share of the harmonized image in each pixel of a mixture."""
    views = place()
    rng = None if seed is None else np.random.default_rng(seed)
    pixels = METHOD(views, ComposeOptions(mix_channels=MixChannelsOptions(**mix)), rng).pixels
    return (pixels - views.landsat) / (views.harmonized - views.landsat)


def test_original_replaces_one_to_most_whole_bands():
    numbers = []
    for seed in range(60):
        found = shares(seed, kind="original", most=3)
        assert set(np.unique(found)) == {0, 1}
        assert (found == found[:, :1, :1]).all()
        numbers.append(int((found[:, 0, 0] == 0).sum()))
    assert set(numbers) == {1, 2, 3}


def test_linear_has_one_share_a_band():
    drawn = []
    for seed in range(40):
        found = np.median(shares(seed, kind="linear"), axis=(1, 2))
        # only near-equal pixels, where a share cannot be told, lie off
        assert (np.abs(shares(seed, kind="linear") - found[:, None, None]) < 1e-3).mean() > 0.99
        drawn.append(found)
    drawn = np.array(drawn)
    assert len(np.unique(drawn.round(6))) == drawn.size
    assert 0 <= drawn.min() < 0.05
    assert 0.95 < drawn.max() <= 1


def test_ratio_is_the_share_of_the_harmonized_image():
    found = shares(1, kind="pixel", ratio=0.1)
    assert set(np.unique(found)) == {0, 1}
    assert abs(found.mean() - 0.1) < 0.01  # 16128 draws: three standard deviations are 0.007
    assert abs((found[0] * found[1]).mean() - 0.01) < 0.007  # bands are drawn apart


@pytest.mark.parametrize(
    ("mix", "mean"),
    [
        ({"kind": "linear"}, 0.5),
        ({"kind": "pixel", "ratio": 0.3}, 0.3),
        # 1, 2, 3 or 4 of 6 bands are Landsat's: 2.5 of 6 in the mean
        ({"kind": "original", "most": 4}, 1 - 2.5 / 6),
    ],
)
def test_fixed_is_the_mean_of_what_is_drawn(mix, mean):
    assert np.median(shares(None, **mix)) == pytest.approx(mean, abs=1e-4)
