"""The spectral step against hand-worked numbers and matched spectra of airborne scenes."""

import re

import numpy as np
import pytest

from nndacss.harmonize.bandpass import adjust
from nndacss.harmonize.spectral import bandpass_spectral, step
from nndacss.sensors import REFLECTIVE

TARGETS = ("sentinel-2a", "sentinel-2b", "sentinel-2c")


def ground(*values):
    return np.array(values, dtype=np.float32)[:, None, None]


def test_blue_and_red_lie_on_lines_to_green():
    # (492.4 - 482.0) / (561.4 - 482.0) = 0.13098; (664.6 - 654.6) / (561.4 - 654.6) = -0.10730
    found = step("sentinel-2a").apply(ground(0.05, 0.10, 0.20, 0.30, 0.25, 0.15)).ravel()
    assert found[0] == pytest.approx(0.05 + 0.13098 * 0.05, abs=1e-5)
    assert found[2] == pytest.approx(0.20 + 0.10730 * 0.10, abs=1e-5)


def test_the_other_bands():
    found = step("sentinel-2a").apply(ground(0.05, 0.10, 0.20, 0.30, 0.25, 0.15)).ravel()
    assert found[3] == pytest.approx(0.30)
    expected = [(0.10 + 0.0009) / 1.0053, (0.25 + 0.0011) / 0.9987, (0.15 + 0.0012) / 1.0030]
    np.testing.assert_allclose(found[[1, 4, 5]], expected, rtol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_the_way_back(target):
    pixels = np.random.default_rng(0).uniform(0, 1, (2, 6, 4, 5)).astype(np.float32)
    one = step(target)
    np.testing.assert_allclose(one.inverse().apply(one.apply(pixels)), pixels, atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_published_coefficients_as_a_step(target):
    pixels = np.random.default_rng(0).uniform(0, 1, (6, 4, 5)).astype(np.float32)
    expected = adjust(pixels, REFLECTIVE, target)
    np.testing.assert_allclose(bandpass_spectral(target).apply(pixels), expected, atol=1e-6)


def test_another_satellite_differs_as_published():
    """2B's red from 2A's: OLI = 0.9765 a + 0.0009 = 0.9761 b + 0.0010."""
    pixels = ground(0.05, 0.10, 0.20, 0.30, 0.25, 0.15)
    a, b = (step(target).apply(pixels)[2].item() for target in TARGETS[:2])
    assert b == pytest.approx((0.9765 * a + 0.0009 - 0.0010) / 0.9761, abs=1e-6)


def test_missing_stays_missing():
    pixels = ground(0.05, 0.10, np.nan, 0.30, 0.25, 0.15)
    found = step("sentinel-2a").apply(pixels).ravel()
    assert np.isnan(found).tolist() == [False, False, True, False, False, False]


def cube(folder, sensor):
    """(bands, spectra) reflectance of an ENVI file, NaN missing."""
    (place,) = folder.glob(f"refcube__{sensor}*.bsq")
    header = place.with_suffix(".hdr").read_text()
    keys = ("bands", "lines", "samples")
    shape = [int(re.search(rf"{key}\s*=\s*(\d+)", header)[1]) for key in keys]
    counts = np.fromfile(place, np.int16).reshape(shape[0], -1).astype(np.float32)
    return np.where(counts == -9999, np.nan, counts / 10000)


def test_matched_spectra_of_airborne_scenes(shared_data):
    """Blue and red twice as near as the published coefficients; no band further off."""
    folder = shared_data("spectra-pairs")
    oli = cube(folder, "Landsat-8")[1:7]
    msi = cube(folder, "Sentinel-2A")[[1, 2, 3, 8, 9, 10]]

    def error(estimate):
        return np.sqrt(np.nanmean((estimate - msi) ** 2, axis=1))

    ours = error(step("sentinel-2a").apply(oli[:, None])[:, 0])
    published = error(bandpass_spectral("sentinel-2a").apply(oli[:, None])[:, 0])
    assert (ours[[0, 2]] < published[[0, 2]] / 2).all()
    assert (ours <= published + 1e-6).all()
