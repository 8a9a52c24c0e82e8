"""What cloud, shadow and snow do to the light: numbers worked out by hand, and what must hold."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.inpaint import render
from nndacss.inpaint.weather import Layer
from nndacss.sensors import REFLECTIVE

WATER = Layer(
    height=1000.0, depth=300.0, hem=20.0, width=200.0, peak=30.0, rough=0.3, zoom=1.0, grain=1.0,
    stretch=1.0, absorption=1.0, ice=0.0, relief=0.2,
)  # fmt: skip
ONE = np.ones((1, 1), np.float32)
NO_AIR = render.Light(np.zeros(6, np.float32), np.zeros(6, np.float32), np.ones(6, np.float32))


def image(value, side=32):
    return np.full((6, side, side), value, np.float32)


def test_a_thick_cloud_by_hand():
    thickness = np.full((32, 32), 20.0, np.float32)
    seen = render.cloud(image(0.1), REFLECTIVE, NO_AIR, WATER, thickness, ONE)
    share = 0.15 * 3**0.5 / 2 * 20  # two streams, asymmetry 0.85
    share /= 1 + share
    red, swir = seen[2, 0, 0], seen[4, 0, 0]
    assert red == pytest.approx(share + (1 - share) * 0.1, abs=1e-5)
    assert swir == pytest.approx(share * (1 - 0.28 * share) + (1 - share) * 0.1, abs=1e-5)


def test_a_cloud_hides_the_pattern_of_the_ground_before_its_brightness():
    ground = image(0.1)
    ground[:, ::2, ::2] = 0.3
    thickness = np.full((32, 32), 3.0, np.float32)
    seen = render.cloud(ground, REFLECTIVE, NO_AIR, WATER, thickness, ONE)
    share = 0.15 * 3**0.5 / 2 * 3
    share /= 1 + share
    straight = exp(-3 * (1 - 0.85**2))
    assert np.ptp(seen[2]) == pytest.approx((1 - share) * straight * 0.2, abs=1e-5)
    assert seen[2].mean() == pytest.approx(share + (1 - share) * 0.15, abs=1e-4)


def test_ice_is_darker_in_the_short_wave_infrared():
    ice = replace(WATER, ice=1.0)
    assert render.brightness("red", WATER) == render.brightness("red", ice) == 1.0
    assert render.brightness("swir16", WATER) == pytest.approx(0.72)
    assert render.brightness("swir16", ice) < 0.5 * render.brightness("swir16", WATER)
    assert render.brightness("swir16", ice) < render.brightness("swir22", ice)


def test_shadow_by_hand():
    air = replace(NO_AIR, path=np.full(6, 0.04, np.float32), sky=np.full(6, 0.2, np.float32))
    straight, scattered = np.full((2, 4, 4), [[[0.1]], [[0.3]]], np.float32)
    pixels = image(0.24, 4)
    pixels[:, 0, 0] = 0.03  # darker than the air: noise
    seen = render.shadow(pixels, REFLECTIVE, air, straight, scattered)
    # 0.2 of ground reflectance above the air's; the sky's fifth stays, 0.4 of the sun's light
    assert seen[0, 1, 1] == pytest.approx(0.04 + 0.2 * (0.2 + 0.8 * 0.4))
    assert seen[4, 1, 1] == pytest.approx(0.04 + 0.2 * (0.2 + 0.8 * (0.1 + 0.72**0.5 * 0.3)))
    assert seen[0, 0, 0] == pixels[0, 0, 0]


def test_blue_keeps_most_light_in_a_shadow():
    pixels = image(0.3)
    for level in ("TOA", "SR"):
        air = render.light(pixels, REFLECTIVE, level, 40.0)
        dark = render.sunlight(np.full((32, 32), 40.0, np.float32), 0.0)
        left = render.shadow(pixels, REFLECTIVE, air, *dark)[:, 0, 0] / 0.3
        assert np.all(np.diff(left) < 0)
        assert 0.1 < left[3] < 0.4


def test_sunlight_falls_with_thickness_and_is_never_made():
    slant = np.linspace(0, 200, 400, dtype=np.float32)[None]
    straight, scattered = render.sunlight(slant, 0.1)
    total = (straight + scattered)[0]
    assert total[0] == 1
    assert np.all(np.diff(total) < 0)
    assert total[-1] > 0.1


def test_nothing_above_nothing_changes():
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 0.6, (6, 40, 50)).astype(np.float32)
    pixels[:, 3:9] = np.nan
    none = np.zeros((40, 50), np.float32)
    air = render.light(pixels, REFLECTIVE, "TOA", 40.0)
    seen = render.cloud(pixels, REFLECTIVE, air, WATER, none, ONE)
    np.testing.assert_array_equal(seen, pixels)
    np.testing.assert_array_equal(
        render.shadow(pixels, REFLECTIVE, air, *render.sunlight(none, 0.1)), pixels
    )
    np.testing.assert_array_equal(render.snow(pixels, REFLECTIVE, air, none, 0.5), pixels)


def test_snow_is_white_and_dark_in_the_short_wave_infrared():
    pixels = image(0.1)
    air = render.light(pixels, REFLECTIVE, "SR", 40.0)
    seen = render.snow(pixels, REFLECTIVE, air, np.ones((32, 32), np.float32), 0.0)[:, 0, 0]
    assert seen[1] > 0.9
    ndsi = (seen[1] - seen[4]) / (seen[1] + seen[4])
    assert ndsi > 0.4


def test_the_air_is_no_brighter_than_the_darkest_ground():
    bright, dark = image(0.4), image(0.4)
    dark[:, :16] = 0.02
    air = render.light(bright, REFLECTIVE, "TOA", 40.0)
    assert 0.05 < air.path[0] < 0.12  # Rayleigh scattering in blue
    assert air.path[0] > air.path[2] > air.path[4]
    assert render.light(dark, REFLECTIVE, "TOA", 40.0).path[0] == pytest.approx(0.02)


def test_what_surrounds_a_pixel():
    band = np.full((48, 40), np.nan, np.float32)
    band[:16, :16] = 1.0
    band[:16, 16:32] = 3.0
    band[20, 35] = 7.0
    found = render.around(band)
    # centres of the first two cells lie at columns 7.5 and 23.5
    assert found[7, 0] == pytest.approx(1.0)
    assert found[7, 15] == pytest.approx(1 + 2 * (15.5 - 8) / 16)
    mean = np.nanmean(band)
    assert found[47, 0] == pytest.approx(mean, rel=1e-4)  # nothing is seen there


@pytest.mark.parametrize(
    ("roles", "level", "message"),
    [(("blue", "thermal"), "TOA", "band: found thermal"), (("blue",), "L1", "level: found 'L1'")],
)
def test_what_is_not_known(roles, level, message):
    pixels = np.zeros((len(roles), 8, 8), np.float32)
    with pytest.raises(SettingsError, match=message):
        render.light(pixels, roles, level, 40.0)


def test_haze_hides_shadow_in_the_visible_bands_alone():
    """Over ground of one brightness: what is left of it, in blue and at 2.2 um."""
    pixels, dark = image(0.3), render.sunlight(np.full((32, 32), 40.0, np.float32), 0.0)
    left = {
        haze: render.shadow(
            pixels, REFLECTIVE, render.light(pixels, REFLECTIVE, "TOA", 40.0, haze), *dark
        )[:, 0, 0]
        / 0.3
        for haze in (0.06, 0.4)
    }
    # 0.34 more haze at a sun of 40 degrees: 0.35 (0.482 / 0.55)**-1.3 / (4 sin 40) more path
    air = render.light(pixels, REFLECTIVE, "TOA", 40.0)
    more = 0.34 * 0.35 * (0.482 / 0.55) ** -1.3 / (4 * np.sin(np.radians(40)))
    dimmed = 1 - (left[0.06][0] * 0.3 - air.path[0]) / (0.3 - air.path[0])
    assert (left[0.4][0] - left[0.06][0]) * 0.3 == pytest.approx(more * dimmed, rel=0.03)
    assert left[0.4][5] - left[0.06][5] < 0.03
