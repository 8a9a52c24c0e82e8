"""Bandpass coefficients by hand, and the window as a whole on a plain scene."""

import numpy as np
import pytest

from nndacss.harmonize.bandpass import COEFFICIENTS, adjust
from nndacss.sensors import REFLECTIVE


def test_hand_worked_red():
    # OLI = 0.9765 * MSI + 0.0009, so 0.1 becomes (0.1 - 0.0009) / 0.9765
    pixels = np.full((1, 1, 2), 0.1, dtype=np.float32)
    pixels[0, 0, 1] = np.nan
    result = adjust(pixels, ("red",), "sentinel-2a")
    assert result[0, 0, 0] == pytest.approx(0.101485, abs=1e-6)
    assert np.isnan(result[0, 0, 1])


def test_each_band_has_its_own_line():
    pixels = np.full((6, 1, 1), 0.3, dtype=np.float32)
    by_role = dict(zip(REFLECTIVE, adjust(pixels, REFLECTIVE, "sentinel-2b")[:, 0, 0], strict=True))
    # (0.3 - o) / s, HLS S2B
    expected = {
        "blue": 0.304 / 0.9778,
        "green": 0.3008 / 1.0075,
        "red": 0.299 / 0.9761,
        "nir08": 0.3 / 0.9966,
        "swir16": 0.3003,
        "swir22": 0.2996 / 0.9867,
    }
    assert by_role == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("target", sorted(COEFFICIENTS))
def test_all_targets_know_all_bands(target):
    assert set(COEFFICIENTS[target]) >= set(REFLECTIVE)
    for slope, offset in COEFFICIENTS[target].values():
        assert 0.9 < slope < 1.1
        assert abs(offset) < 0.01
