"""Found against predicted error, on numbers that are known."""

from __future__ import annotations

import numpy as np
import pytest
from reliability import EDGES, Reliability


def test_errors_of_two_sizes_lie_on_the_diagonal():
    """Normal errors of 0.004 and 0.02, said so: two bins, each on the diagonal, 68 and 95 %."""
    random = np.random.default_rng(0)
    sigma = np.where(np.arange(200_000) % 2, 0.004, 0.02).astype(np.float32).reshape(1, -1)
    error = (random.standard_normal(sigma.shape) * sigma).astype(np.float32)
    error[0, :10] = np.nan
    sums = Reliability()
    for part in np.array_split(np.arange(200_000), 7):
        sums.add(2, error[:, part], sigma[:, part])
    predicted, found = sums.points(2)
    assert predicted == pytest.approx([0.004, 0.02], rel=1e-4)
    assert found == pytest.approx([0.004, 0.02], rel=0.02)
    assert sums.coverage(2) == pytest.approx((0.6827, 0.9545), abs=0.005)
    assert sums.pixels[2].sum() == 199_990
    assert sums.pixels[[0, 1, 3, 4, 5]].sum() == 0


def test_too_small_a_prediction_lies_above_the_diagonal():
    sums = Reliability()
    error = np.full((10, 100), 0.03, dtype=np.float32)
    sums.add(0, -error, np.full_like(error, 0.01))
    predicted, found = sums.points(0)
    assert (predicted.tolist(), found.tolist()) == (pytest.approx([0.01]), pytest.approx([0.03]))
    assert sums.coverage(0) == (0, 0)


def test_predictions_beyond_the_bins_are_counted():
    sums = Reliability()
    ends = np.array([[EDGES[0] / 10, EDGES[-1] * 10]], dtype=np.float32)
    sums.add(0, np.zeros_like(ends), ends)
    assert sums.pixels[0].sum() == 2
    assert sums.pixels[0, [0, -1]].tolist() == [1, 1]
