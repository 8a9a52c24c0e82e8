"""What is hidden of a sample: the structure with its hem, never too much, by chance alone."""

import numpy as np
import pytest

from nndacss.inpainter.hide import certain, hole, one_side, over, usual_hole, varied, widened
from nndacss.inpainter.settings import AugmentSettings, HideSettings

STILL = AugmentSettings(flip=False, brightness=0, gain=0, drop_chance=0)


def blot(rows=40, columns=50):
    place = np.hypot(np.arange(rows)[:, None] - 15, np.arange(columns) - 20)
    return place < 9


def test_only_pixels_that_can_be_nothing_else_are_certain():
    sets = np.array([[8, 12, 9, 0, 1, 8]], np.uint16)
    assert certain(sets, 3).tolist() == [[True, False, False, False, False, True]]


@pytest.mark.parametrize("pixels", [0, 1, 3])
def test_a_mask_is_widened_by_whole_pixels(pixels):
    mask = np.random.default_rng(0).random((20, 30)) < 0.01
    wanted = np.zeros_like(mask)
    for row, column in zip(*np.nonzero(mask), strict=True):
        low = max(row - pixels, 0), max(column - pixels, 0)
        wanted[low[0] : row + pixels + 1, low[1] : column + pixels + 1] = True
    before = mask.copy()
    np.testing.assert_array_equal(widened(mask, pixels), wanted)
    np.testing.assert_array_equal(mask, before)


def test_one_side_is_a_share_cut_by_a_straight_line():
    mask = blot()
    part = one_side(mask, 0.3, np.pi / 2)  # towards the last rows
    assert part.sum() == round(0.3 * mask.sum())
    assert not (part & ~mask).any()
    rest = mask & ~part
    assert np.nonzero(part)[0].min() >= np.nonzero(rest)[0].max()
    left = one_side(mask, 0.3, np.pi)
    assert np.nonzero(left)[1].max() <= np.nonzero(mask & ~left)[1].min()


def test_a_window_lies_in_the_image_and_shows_the_structure():
    rng, corner = np.random.default_rng(1), np.zeros((40, 50), bool)
    corner[39, 49] = True
    firsts = set()
    for _ in range(60):
        assert over(corner, 32, rng) == (slice(8, 40), slice(18, 50))
        rows, columns = over(blot(), 32, rng)
        assert (rows.stop - rows.start, columns.stop - columns.start) == (32, 32)
        assert 0 <= rows.start <= 8
        assert 0 <= columns.start <= 18
        assert blot()[rows, columns].any()
        firsts.add((rows.start, columns.start))
    assert len(firsts) > 20
    # the structure is far right: not all windows may hold it
    right = np.zeros((32, 96), bool)
    right[10, 90] = True
    assert {over(right, 32, rng)[1].start for _ in range(50)} <= set(range(59, 65))


def test_all_or_one_side_is_hidden_with_its_hem():
    mask, settings = blot(), HideSettings(part_chance=0.5, margin=2, largest=0.9)
    whole = widened(mask, 2)
    shares = []
    for seed in range(200):
        found = hole(mask, settings, np.random.default_rng(seed))
        assert not (found & ~whole).any()
        shares.append(found.sum() / whole.sum())
    parts = np.array([share for share in shares if share < 1])
    assert 70 < len(parts) < 130
    assert 0.19 < parts.min() < 0.3 < 0.7 < parts.max() < 0.81
    np.testing.assert_array_equal(usual_hole(mask, settings), whole)


def test_an_overcast_window_keeps_something_to_see():
    mask, settings = np.ones((20, 20), bool), HideSettings(largest=0.6)
    for seed in range(20):
        assert hole(mask, settings, np.random.default_rng(seed)).mean() <= 0.6
    assert usual_hole(mask, settings).mean() == pytest.approx(0.6)
    nothing = np.zeros((20, 20), bool)
    assert not hole(nothing, settings, np.random.default_rng(0)).any()


def test_the_same_generator_hides_the_same():
    first, second = (hole(blot(), HideSettings(), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_variation_turns_image_and_mask_alike_and_leaves_bands_out():
    mask = blot(32, 32)
    pixels = np.where(mask, np.float32(0.8), np.float32(0.2)) * np.ones((4, 1, 1), np.float32)
    settings = AugmentSettings(flip=True, brightness=0.1, gain=0.05, drop_chance=0.5)
    dropped, gains = [], []
    for seed in range(80):
        found, turned = varied(pixels, mask, settings, np.random.default_rng(seed))
        gone = np.isnan(found).all(axis=(1, 2))
        assert np.isnan(found).any(axis=(1, 2)).tolist() == gone.tolist()
        dropped.append(int(gone.sum()))
        for band in found[~gone]:
            assert np.ptp(band[turned]) == 0
            assert band[turned][0] == pytest.approx(4 * band[~turned][0])
            gains.append(band[turned][0] / 0.8)
    assert set(dropped) == {0, 1, 2}
    assert 25 < dropped.count(0) < 55
    assert 0.9 * 0.95 <= min(gains) < 0.92 < 1.08 < max(gains) <= 1.1 * 1.05
    still, same = varied(pixels, mask, STILL, np.random.default_rng(0))
    np.testing.assert_array_equal(still, pixels)
    np.testing.assert_array_equal(same, mask)
