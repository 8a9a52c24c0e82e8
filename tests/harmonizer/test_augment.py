"""Variations of a pair: what belongs together stays together."""

import numpy as np
import pytest

from nndacss.harmonizer.augment import augment
from nndacss.harmonizer.settings import AugmentSettings

STILL = AugmentSettings(flip=False, drop_pan_chance=0, pan_gain=0, pan_offset=0, wedge_chance=0)
FLIP = STILL.model_copy(update={"flip": True})


def numbered(side=24):
    """Each pixel another count, the same in all bands; and the number of its 2 x 2 block."""
    counts = np.arange(side * side, dtype=np.int16).reshape(side, side)
    blocks = np.arange((side // 2) ** 2, dtype=np.int16).reshape(side // 2, side // 2)
    target = np.stack([*[counts] * 3, *[np.kron(blocks, np.ones((2, 2), np.int16))] * 3])
    return np.stack([counts] * 7), target


def one(settings, seed=0, crop=12):
    return augment(*numbered(), crop, settings, np.random.default_rng(seed))


def test_with_everything_off_it_is_a_window_at_even_places():
    inputs, target = numbered()
    places = set()
    for seed in range(40):
        seen, truth = one(STILL, seed)
        top, left = divmod(round(seen[0, 0, 0] * 10000), 24)
        places.add((top, left))
        cut = np.s_[:, top : top + 12, left : left + 12]
        np.testing.assert_allclose(seen, inputs[cut] / 10000, atol=1e-7)
        np.testing.assert_allclose(truth, target[cut] / 10000, atol=1e-7)
    assert {place % 2 for both in places for place in both} == {0}
    assert {0, 12} <= {top for top, _ in places}  # first and last place both occur


def test_turns_keep_pairs_and_blocks_of_a_coarse_truth_together():
    turns = set()
    for seed in range(60):
        seen, truth = one(FLIP, seed)
        np.testing.assert_array_equal(seen[0], truth[0])
        blocks = truth[3].reshape(6, 2, 6, 2)
        assert (blocks == blocks[:, :1, :, :1]).all()
        across, down = seen[0, 0, 1] - seen[0, 0, 0], seen[0, 1, 0] - seen[0, 0, 0]
        turns.add((round(across * 10000), round(down * 10000)))
    assert len(turns) == 8


def test_pan_alone_varies():
    settings = STILL.model_copy(update={"pan_gain": 0.05, "pan_offset": 0.02})
    plain, varied = one(STILL)[0], one(settings)[0]
    np.testing.assert_array_equal(varied[:6], plain[:6])
    offset, gain = np.polynomial.polynomial.polyfit(plain[6].ravel(), varied[6].ravel(), 1)
    assert 0 < abs(offset) <= 0.02
    assert 0 < abs(gain - 1) <= 0.05


def test_pan_is_dropped_and_a_wedge_is_missing_in_the_input_only():
    dropped = one(STILL.model_copy(update={"drop_pan_chance": 1.0}))[0]
    assert np.isnan(dropped[6]).all()
    assert not np.isnan(dropped[:6]).any()
    seen, truth = one(STILL.model_copy(update={"wedge_chance": 1.0, "wedge": 0.9}), seed=3)
    away = np.isnan(seen)
    assert 0 < away.mean() < 1
    assert (away == away[:1]).all()
    assert not np.isnan(truth).any()


def test_missing_counts_are_missing_and_the_source_is_never_written_to():
    inputs, target = numbered()
    inputs[2, :6] = -32768
    target[4, 6:] = -32768
    before = inputs.copy(), target.copy()
    seen, truth = augment(inputs, target, 24, AugmentSettings(flip=False), np.random.default_rng(1))
    assert np.isnan(seen[2, :6]).all()
    assert np.isnan(truth[4, 6:]).all()
    np.testing.assert_array_equal(inputs, before[0])
    np.testing.assert_array_equal(target, before[1])
    assert seen.flags.c_contiguous
    assert truth.flags.c_contiguous


@pytest.mark.parametrize("settings", [AugmentSettings()])
def test_chance_is_the_generators(settings):
    first, again, other = one(settings, 5)[0], one(settings, 5)[0], one(settings, 6)[0]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)
