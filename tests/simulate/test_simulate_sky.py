import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.simulate.atmosphere import Air, beam, cloud_reflectance
from nndacss.simulate.sky import CLOUD_THICKNESS, Sky, shadow_offset

BOUNDS = (600_000.0, 5_480_000.0, 612_000.0, 5_492_000.0)
X = np.arange(600_015.0, 612_000, 30)[None, :]
Y = np.arange(5_491_985.0, 5_480_000, -30)[:, None]


@pytest.mark.parametrize(
    ("azimuth", "east", "north"),
    [(90.0, -1.0, 0.0), (180.0, 0.0, 1.0), (0.0, 0.0, -1.0), (135.0, -(0.5**0.5), 0.5**0.5)],
)
def test_shadow_falls_away_from_the_sun(azimuth, east, north):
    # tan(45) = 1, so 800 m up is 800 m aside; at 30 degrees 3 ** 0.5 times as far.
    assert shadow_offset(800, 45, azimuth) == pytest.approx((800 * east, 800 * north), abs=1e-6)
    far = 800 * 3**0.5
    assert shadow_offset(800, 30, azimuth) == pytest.approx((far * east, far * north), abs=1e-6)


@pytest.mark.parametrize("cover", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 7])
def test_cover_is_what_was_asked_for(cover, seed):
    low, high = Sky(seed, cover).over(BOUNDS).overhead(X, Y)
    assert abs((low + high >= CLOUD_THICKNESS).mean() - cover) < 0.02


def test_no_cover_is_no_cloud_and_full_cover_is_all_cloud():
    low, high = Sky(0, 0.0).over(BOUNDS).overhead(X, Y)
    assert not low.any()
    assert not high.any()
    low, high = Sky(0, 1.0).over(BOUNDS).overhead(X, Y)
    assert (low + high >= CLOUD_THICKNESS).mean() > 0.99


def test_slant_thickness_is_the_cloud_seen_towards_the_sun():
    sky = Sky(1, 0.3, altitude=900.0, veils=0.0).over(BOUNDS)
    # Sun in the east at 45 degrees: the beam at x passes the cloud at x + 900 m, 2 ** 0.5 longer.
    slant = sky.slant(X, Y, 45.0, 90.0)
    low, _ = sky.overhead(X, Y)
    np.testing.assert_allclose(slant[:, :-30], low[:, 30:] * 2**0.5, rtol=2e-3, atol=1e-3)


def test_thin_and_thick_clouds_reflect_as_two_streams_do():
    # g = 0.15 * 3 ** 0.5 / 2 = 0.1299: thickness 10 gives 1.299 / 2.299.
    assert cloud_reflectance(np.float32([0, 10])) == pytest.approx([0, 0.5650], abs=1e-4)
    # 1 - 0.85 ** 2 = 0.2775
    assert beam(np.float32([0, 2])) == pytest.approx([1, np.exp(-0.555)], abs=1e-6)


def test_surface_comes_back_where_haze_is_as_assumed():
    air = Air(40.0, haze=0.1)
    ground = np.float32([[0.02, 0.2, 0.6]])
    haze = np.full((1, 3), 0.1, dtype=np.float32)
    for role in ("coastal", "red", "swir22"):
        assert air.corrected(role, air.top(role, ground, haze)) == pytest.approx(ground, abs=1e-5)


def test_blue_air_is_brighter_than_red_air():
    air, haze = Air(45.0), np.float32([[0.08]])
    paths = [float(air.path(role, haze)[0, 0]) for role in ("coastal", "blue", "red", "swir16")]
    assert paths == sorted(paths, reverse=True)
    assert 0.05 < paths[1] < 0.1


def test_wrong_settings_are_named():
    with pytest.raises(SettingsError, match="cover"):
        Sky(0, 1.5)
    with pytest.raises(SettingsError, match="over"):
        Sky(0).overhead(X, Y)
