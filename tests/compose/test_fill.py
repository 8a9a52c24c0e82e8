"""Filling of missing pixels."""

import numpy as np

from nndacss.compose.fill import filled


def test_known_pixels_stay_and_missing_ones_lie_between():
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0.2, 0.7, (2, 37, 50)).astype(np.float32)
    known = rng.random((37, 50)) > 0.3
    known[5:30, 10:44] = False
    pixels[:, ~known] = np.nan
    found = filled(pixels, known)
    np.testing.assert_array_equal(found[:, known], pixels[:, known])
    assert found.dtype == np.float32
    assert 0.2 <= found.min() <= found.max() <= 0.7


def test_a_hole_in_a_ramp_is_filled_by_its_surroundings():
    ramp = np.broadcast_to(np.linspace(0.1, 0.9, 64, dtype=np.float32), (1, 64, 64))
    known = np.ones((64, 64), dtype=bool)
    known[20:44, 20:44] = False
    found = filled(np.where(known, ramp, np.nan), known)
    assert np.abs(found - ramp).max() < 0.06  # the hole spans 0.3
    assert np.abs(found - ramp)[0, 20:44, [20, 43]].max() < 0.03


def test_hand_worked():
    """One missing pixel of four is the mean of the other three; a far one sees the nearest box."""
    pixels = np.array([[[1, 2], [3, np.nan]]], dtype=np.float32)
    known = np.array([[True, True], [True, False]])
    np.testing.assert_allclose(filled(pixels, known), [[[1, 2], [3, 2]]])


def test_nothing_known():
    pixels = np.full((6, 5, 3), np.nan, dtype=np.float32)
    np.testing.assert_array_equal(filled(pixels, np.zeros((5, 3), dtype=bool)), np.zeros((6, 5, 3)))
