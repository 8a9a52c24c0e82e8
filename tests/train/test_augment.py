"""Augmentation: what must stay, stays; what may vary, varies within its limits."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.ndimage import zoom as scipy_zoom

from nndacss.sensors import REFLECTIVE
from nndacss.train.augment import augment, dropped, radiometry, turn, wedge, window
from nndacss.train.settings import AugmentSettings

ROLES = tuple(REFLECTIVE)
STILL = AugmentSettings(
    flip=False, zoom_chance=0, drop_chance=0, drop_nir_chance=0, brightness=0, gain=0, offset=0,
    haze_chance=0, noise_chance=0, saturate_chance=0, wedge_chance=0,
)  # fmt: skip


def make(side=64, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.random((6, side, side), dtype=np.float32)
    return pixels, (1 << rng.integers(0, 4, (side, side))).astype(np.uint16)


def one(settings, crop=64, seed=1, **options):
    return augment(*make(**options), ROLES, crop, settings, np.random.default_rng(seed))


def test_with_everything_off_a_sample_stays_as_it_is():
    pixels, sets = make()
    found, labels = one(STILL)
    np.testing.assert_array_equal(found, pixels)
    np.testing.assert_array_equal(labels, sets)


def test_the_source_is_never_written_to():
    pixels, sets = make()
    before = pixels.copy(), sets.copy()
    every = AugmentSettings(
        drop_chance=0.9, haze_chance=1, noise_chance=1, saturate_chance=1, wedge_chance=1
    )
    for seed in range(20):
        augment(pixels, sets, ROLES, 64, every, np.random.default_rng(seed))
    np.testing.assert_array_equal(pixels, before[0])
    np.testing.assert_array_equal(sets, before[1])


def test_same_generator_same_sample_other_generator_another():
    settings = AugmentSettings()
    np.testing.assert_array_equal(one(settings, seed=5)[0], one(settings, seed=5)[0])
    assert not np.array_equal(one(settings, seed=5)[0], one(settings, seed=6)[0], equal_nan=True)


def test_the_eight_turns_are_all_different_and_carry_the_labels_along():
    pixels, sets = make(side=8)
    marked = np.broadcast_to(sets.astype(np.float32), pixels.shape)
    seen = set()
    for which in range(8):
        turned, labels = turn(marked, which), turn(sets, which)
        np.testing.assert_array_equal(turned[0], labels)
        seen.add(labels.tobytes())
    assert len(seen) == 8


@pytest.mark.parametrize("magnification", [0.75, 1.4])
def test_zoom_keeps_a_ramp_and_matches_scipy(magnification):
    pixels, sets = make(side=96)
    found, labels = window(pixels, sets, 64, magnification, np.random.default_rng(0))
    assert found.shape == (6, 64, 64)
    assert labels.shape == (64, 64)
    side = min(round(64 / magnification), 96)
    whole = window(pixels[:, :side, :side], sets[:side, :side], 64, 1e-9, np.random.default_rng(0))
    theirs = scipy_zoom(pixels[2, :side, :side], 64 / side, order=1, grid_mode=True, mode="nearest")
    np.testing.assert_allclose(whole[0][2], theirs, atol=1e-5)
    assert set(np.unique(labels)) <= {1, 2, 4, 8}


def test_missing_pixels_stay_missing_and_spread_no_further_than_their_neighbours():
    pixels, sets = make()
    pixels[:, 20:30, 20:30] = np.nan
    found, _ = window(pixels, sets, 64, 2.0, np.random.default_rng(3))
    whole, _ = window(pixels, sets, 128, 2.0, np.random.default_rng(3))
    assert np.isnan(whole[:, 40:60, 40:60]).all()
    assert np.isfinite(whole[:, :38]).all()
    assert found.shape == (6, 64, 64)


def test_gain_and_offset_stay_in_their_limits_and_haze_falls_off_with_wavelength():
    rng = np.random.default_rng(0)
    plain = AugmentSettings(haze_chance=0)
    for _ in range(200):
        gain, offset = radiometry(ROLES, plain, rng)
        assert (np.abs(offset) <= plain.offset + 1e-7).all()
        assert (gain <= 1.1 * 1.05 + 1e-6).all()
        assert (gain >= 0.9 * 0.95 - 1e-6).all()
    hazy = AugmentSettings(haze_chance=1, offset=0, gain=0, brightness=0)
    for _ in range(50):
        gain, offset = radiometry(ROLES, hazy, rng)
        assert (np.diff(offset) < 0).all()
        assert offset[0] <= hazy.haze + 1e-7
        np.testing.assert_allclose(gain, 1 - offset, atol=1e-6)


def test_blue_green_red_are_never_dropped_and_all_wanted_subsets_occur():
    rng = np.random.default_rng(0)
    settings = AugmentSettings(drop_chance=0.45, drop_swir_chance=0.2, drop_nir_chance=0.05)
    seen = [tuple(np.array(ROLES)[dropped(ROLES, settings, rng)]) for _ in range(4000)]
    share = {subset: seen.count(subset) / len(seen) for subset in set(seen)}
    assert set(share) == {
        (), ("swir16",), ("swir22",), ("swir16", "swir22"), ("nir08", "swir16", "swir22"),
    }  # fmt: skip
    assert share[()] == pytest.approx(0.3, abs=0.03)
    assert share[("swir16",)] == pytest.approx(0.15, abs=0.03)
    assert share[("swir16", "swir22")] == pytest.approx(0.35, abs=0.03)
    assert share[("nir08", "swir16", "swir22")] == pytest.approx(0.05, abs=0.02)


def test_chances_of_dropped_bands_are_shares_of_one_whole():
    AugmentSettings(drop_chance=0.3, drop_swir_chance=0.6, drop_nir_chance=0.1)
    with pytest.raises(ValidationError, match="exceed 1 together"):
        AugmentSettings(drop_chance=0.3, drop_swir_chance=0.6, drop_nir_chance=0.2)


def test_a_wedge_is_unlabelled_and_missing_in_all_bands():
    settings = STILL.model_copy(update={"wedge_chance": 1.0, "wedge": 0.9})
    seen = 0
    for seed in range(10):
        pixels, sets = one(settings, seed=seed)
        missing = np.isnan(pixels)
        np.testing.assert_array_equal(missing.all(axis=0), missing.any(axis=0))
        np.testing.assert_array_equal(missing[0], sets == 0)
        assert missing[0].mean() < 0.5
        seen += missing.any()
    assert seen >= 5
    assert not wedge(32, 0.0, np.random.default_rng(0))[8:24, 8:24].any()


def test_visible_bands_saturate_each_at_its_own_level_or_not_at_all():
    settings = STILL.model_copy(
        update={"saturate_chance": 1.0, "saturate": (0.4, 0.6), "saturate_apart": 1.0}
    )
    pixels, sets = np.full((6, 16, 16), 0.9, np.float32), np.ones((16, 16), np.uint16)
    levels = []
    for seed in range(40):
        done, _ = augment(pixels, sets, REFLECTIVE, 16, settings, np.random.default_rng(seed))
        assert (done == done[:, :1, :1]).all()
        levels.append(done[:, 0, 0])
    found = np.array(levels)
    assert (found[:, 3:] == np.float32(0.9)).all()
    found = found[:, :3]
    clipped = found[found < 0.9]
    assert 0.4 <= clipped.min() < 0.45 < 0.55 < clipped.max() <= 0.6
    assert 0.4 < clipped.size / found.size < 0.6
    assert all(len(set(row[row < 0.9])) == (row < 0.9).sum() for row in found)


def test_saturation_clips_all_bands_at_one_level():
    settings = STILL.model_copy(update={"saturate_chance": 1.0, "saturate": (0.4, 0.6)})
    pixels, _ = one(settings)
    source, _ = make()
    level = pixels.max()
    assert 0.4 <= level <= 0.6
    np.testing.assert_array_equal(pixels, np.minimum(source, level))


def test_a_crop_is_a_window_of_the_sample():
    source, sets = make(side=96)
    pixels, labels = one(STILL, crop=64, side=96)
    places = [
        (row, column)
        for row in range(33)
        for column in range(33)
        if np.array_equal(source[:, row : row + 64, column : column + 64], pixels)
    ]
    assert len(places) == 1
    (row, column) = places[0]
    np.testing.assert_array_equal(sets[row : row + 64, column : column + 64], labels)
