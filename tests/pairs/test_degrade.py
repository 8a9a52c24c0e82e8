"""Degradation against what a transfer function says of waves, and levels worked by hand."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from nndacss.pairs.degrade import (
    MSI_SIGMA,
    OLI_SIGMA,
    Conditions,
    Fine,
    landsat_view,
    oli_spread,
    through_air,
)
from nndacss.pairs.lattice import Plane, on_tens, tens
from nndacss.pairs.response import spectral
from nndacss.simulate.atmosphere import Air

SAME = spectral(np.eye(6), np.zeros(6))


def conditions(**changed):
    plain = {
        "corner": (0, 0),
        "shift": (0.0, 0.0),
        "pan_shift": (0.0, 0.0),
        "width": 1.0,
        "noise": 0.0,
        "response": SAME,
        "pan_weights": (0.1, 0.5, 0.4),
        "haze": 0.1,
        "sun_elevation": 45.0,
    }
    return Conditions(**plain | changed)


def transfer(frequency, box, sigma):
    """Of a square pixel and a Gaussian, at cycles per metre."""
    return np.sinc(frequency * box) * np.exp(-2 * (np.pi * sigma * frequency) ** 2)


def wave(size, metres, length, sigma, phase=0.0):
    """(size, size) samples, as a sensor of that pixel sees cos(2 pi x / length + phase) in x."""
    x = metres * (np.arange(size) + 0.5)
    seen = transfer(1 / length, metres, sigma) * np.cos(2 * np.pi * x / length + phase)
    return np.broadcast_to(0.3 + 0.2 * seen, (size, size)).astype(np.float32)


def fine(length, size=240):
    ten = np.stack([wave(size, 10, length, MSI_SIGMA[10])] * 3)
    twenty = np.stack([wave(size // 2, 20, length, MSI_SIGMA[20])] * 3)
    return Fine(ten, twenty, (20, 20))


def fitted(values, x, length):
    """Amplitude and place of the crest (metres) of a wave."""
    design = np.stack([np.cos(2 * np.pi * x / length), np.sin(2 * np.pi * x / length), x * 0 + 1])
    a, b, _ = np.linalg.lstsq(design.T, values, rcond=None)[0]
    return np.hypot(a, b), np.arctan2(b, a) / (2 * np.pi) * length


def test_the_sigma_gives_the_sensors_sharpness():
    # 0.64 of a square pixel at its Nyquist frequency, and 0.6 of that: OLI's 0.38; MSI's 0.3
    for metres in (30, 15):
        assert transfer(1 / (2 * metres), metres, OLI_SIGMA[metres]) == pytest.approx(
            0.382, abs=1e-3
        )
    assert transfer(1 / 20, 10, MSI_SIGMA[10]) == pytest.approx(0.306, abs=1e-3)


@pytest.mark.parametrize("width", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("length", [200.0, 120.0])
def test_waves_pass_as_through_oli(width, length):
    """The view of a view is as sharp as OLI's own, for all bands, and lies where it should."""
    seen = conditions(width=width, corner=(20, 10), shift=(4.0, -3.0), pan_shift=(-1.5, 2.0))
    bands, pan = landsat_view(fine(length), seen, np.random.default_rng(0))
    for plane, index, metres, shift in (
        (bands, 1, 30, 4.0),
        (bands, 4, 30, 4.0),
        (pan, 0, 15, 2.5),
    ):
        row = plane.pixels[index, 3]
        if metres == 15:
            air = Air(45.0, 0.1)
            haze = np.full((1, 1), 0.1, np.float32)
            row = (row - air.path("pan", haze)[0]) / air.transmittance("pan", haze)[0]
        x = plane.west + metres * (np.arange(row.size) + 0.5) + 200  # from the image's edge
        amplitude, crest = fitted(row.astype(np.float64), x, length)
        expected = 0.2 * transfer(1 / length, metres, width * OLI_SIGMA[metres])
        assert amplitude == pytest.approx(expected, rel=0.02)
        assert crest == pytest.approx(shift, abs=0.3)


def test_planes_lie_on_landsats_lattice():
    for corner in ((0, 0), (10, 20), (20, 10)):
        for plane, step in zip(
            landsat_view(fine(500.0), conditions(corner=corner), np.random.default_rng(0)),
            (30, 15),
            strict=True,
        ):
            assert (plane.west + corner[0]) % step == step / 2
            assert (-plane.north + corner[1]) % step == step / 2


def test_levels_of_even_ground():
    ground = np.array([0.05, 0.08, 0.1, 0.3, 0.25, 0.15], dtype=np.float32)
    flat = np.repeat(ground[:, None], 120 * 120, 1).reshape(6, 120, 120)
    matrix, offset = np.diag([0.98] * 6), np.full(6, 0.002)
    matrix[0, 1] = 0.1
    seen = conditions(response=spectral(matrix, offset), haze=0.2)
    image = Fine(flat[:3], flat[3:, ::2, ::2], (0, 0))
    bands, pan = landsat_view(image, seen, np.random.default_rng(0))
    expected = 0.98 * ground + 0.002
    expected[0] += 0.1 * 0.08
    np.testing.assert_allclose(
        bands.pixels, np.broadcast_to(expected[:, None, None], bands.pixels.shape), atol=1e-6
    )
    air = Air(45.0, 0.2)
    level = 0.1 * expected[0] + 0.5 * expected[1] + 0.4 * expected[2]
    haze = np.full((1, 1), 0.2, np.float32)
    top = air.path("pan", haze) + air.transmittance("pan", haze) * level
    np.testing.assert_allclose(pan.pixels, np.broadcast_to(top, pan.pixels.shape), atol=1e-6)
    assert through_air(np.float32([[0.02]]), 0.4, 30.0) > 0.05


def test_noise_is_landsats():
    flat = np.full((6, 240, 240), 0.1, np.float32)
    image = Fine(flat[:3], flat[3:, ::2, ::2], (0, 0))
    bands, pan = landsat_view(image, conditions(noise=1.0), np.random.default_rng(0))
    np.testing.assert_allclose(
        bands.pixels.std((1, 2)), [3e-4, 3e-4, 3.5e-4, 4e-4, 3e-4, 3e-4], rtol=0.05
    )
    assert pan.pixels.std() == pytest.approx(6.5e-4 * np.sqrt(pan.pixels.mean() * 10), rel=0.03)


def test_what_is_missing_stays_missing():
    image = fine(500.0)
    image.ten[0, 100:103, 100:103] = np.nan
    bands, pan = landsat_view(image, conditions(), np.random.default_rng(0))
    for plane, index in ((bands, 0), (pan, 0)):
        lost = np.isnan(plane.pixels[index])
        place = [(101.5 * 10 - 200 - edge) / plane.metres for edge in (plane.west, -plane.north)]
        assert lost[int(place[1]), int(place[0])]
        assert lost.mean() < 0.01


def test_tens_of_a_plane_are_cubic_and_end_with_the_kernel():
    draw = np.random.default_rng(3)
    plane = Plane(draw.random((1, 14, 14)).astype(np.float32), -45.0, 75.0, 30)
    found = on_tens(plane, tens(0.0, 0.0, 36, 36))[0]
    # the kernel of 10 m pixel (12, 12), whose centre is 125 m in: by hand
    at = (125 + 45) / 30 - 0.5, (125 + 75) / 30 - 0.5
    expected = 0.0
    for r in range(14):
        for c in range(14):
            expected += keys(at[1] - r) * keys(at[0] - c) * plane.pixels[0, r, c]
    assert found[12, 12] == pytest.approx(expected, abs=1e-5)
    # kernels reach two 30 m pixels: east of 375 m - 45 m and south of 345 m - 45 m some is absent
    assert np.isfinite(found[:30, :33]).all()
    assert np.isnan(found[30:]).all()
    assert np.isnan(found[:, 33:]).all()


def keys(x):
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def test_spread_is_a_gaussian_that_leaves_gaps_alone():
    pixels = np.zeros((1, 41, 41), np.float32)
    pixels[0, 20, 20] = 1
    found = oli_spread(pixels, 25.0, 10.0)[0]
    at = 10 * (np.arange(41) - 20)
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert (found.sum(0) * at**2).sum() == pytest.approx(25**2, rel=0.01)
    flat = np.full((2, 9, 9), 0.4, np.float32)
    flat[0, 3:5, 2] = np.nan
    blurred = oli_spread(flat, 12.0, 10.0)
    np.testing.assert_array_equal(np.isnan(blurred), np.isnan(flat))
    np.testing.assert_allclose(blurred[~np.isnan(flat)], 0.4, atol=1e-6)


def test_map_coordinates_agrees_on_a_shift():
    """A smooth ground seen with and without a shift, against another library's interpolation."""
    draw = np.random.default_rng(5)
    rough = oli_spread(draw.random((6, 200, 200)).astype(np.float32), 60.0, 10.0)
    image = Fine(rough[:3], rough[3:, ::2, ::2], (20, 20))
    here, _ = landsat_view(image, conditions(), draw)
    there, _ = landsat_view(image, conditions(shift=(5.0, 0.0)), draw)
    rows, columns = np.mgrid[4 : here.pixels.shape[1] - 4, 4 : here.pixels.shape[2] - 4]
    start = (there.west - here.west) / 30
    moved = map_coordinates(here.pixels[1], [rows, columns + start - 5 / 30], order=3)
    found = there.pixels[1][4:-4, 4:-4][: moved.shape[0], : moved.shape[1]]
    np.testing.assert_allclose(found, moved[:, : found.shape[1]], atol=2e-3 * rough.std())
