"""Phase correlation: known shifts of one image, noise, gaps, and images with nothing in common."""

import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter

from nndacss.pairs.shift import MOST, shift_between


def scene(size=64, seed=0, wide=90):
    """(2, wide, wide) smooth random ground, its size to be cut from."""
    draw = np.random.default_rng(seed)
    return np.stack([gaussian_filter(draw.random((wide, wide)), 1.5) for _ in range(2)])


def cut(bands, size=64):
    return bands[:, 13 : 13 + size, 13 : 13 + size].astype(np.float32)


def moved(bands, down, right):
    """By Fourier's shift theorem, as another library has it."""
    return np.stack(
        [np.real(np.fft.ifft2(fourier_shift(np.fft.fft2(b), (down, right)))) for b in bands]
    )


@pytest.mark.parametrize(("down", "right"), [(0, 0), (0.13, -0.41), (1.6, 0.77), (-2.25, 3.5)])
def test_known_shifts(down, right):
    bands = scene()
    columns, rows, agreement = shift_between(cut(moved(bands, down, right)), cut(bands))
    assert (columns, rows) == pytest.approx((right, down), abs=0.02)
    assert 0.85 < agreement <= 1


def test_gain_offset_and_noise_do_not_matter():
    bands = scene()
    draw = np.random.default_rng(1)
    other = 0.6 * cut(moved(bands, -0.3, 0.45)) + 0.2
    other += draw.normal(0, 0.15 * other.std(), other.shape).astype(np.float32)
    other[:, 10:14, 30:34] = np.nan
    columns, rows, agreement = shift_between(other, cut(bands))
    assert (columns, rows) == pytest.approx((0.45, -0.3), abs=0.05)
    assert agreement > 0.6


def test_unlike_images_do_not_agree():
    columns, rows, agreement = shift_between(cut(scene()), cut(scene(seed=9)))
    assert agreement < 0.4
    assert max(abs(columns), abs(rows)) <= MOST + 1.2


def test_flat_ground_says_nothing():
    flat = np.full((2, 64, 64), 0.2, np.float32)
    assert shift_between(flat, flat)[2] == 0
    empty = np.full((2, 64, 64), np.nan, np.float32)
    assert shift_between(empty, flat)[2] == 0
