import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.simulate.atmosphere import Air, beam, cloud_reflectance, sunlight
from nndacss.simulate.clouds import Overcast
from nndacss.simulate.optics import LANDSAT, SENTINEL2, Look
from nndacss.simulate.relief import open_sky
from nndacss.simulate.sky import CLOUD_THICKNESS, Layer, Sky, shadow_offset

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


def test_cloud_tops_are_bright_on_the_sunny_side():
    heaps = Layer(3, 1000.0, 7.0, (1900, 920, 450, 220, 110), 0.6)
    none = Layer(4, 9000.0, 2.0, (5000,), np.inf)
    sky = Sky(1, layers=(heaps, none))
    for azimuth in (90.0, 270.0):
        over = Overcast(sky, (35.0, azimuth), Look(LANDSAT), (X, Y))
        (cloud,) = over.light("green", X, Y).clouds
        assert 0.1 < (cloud.thickness > 1).mean() < 0.5
        # Thinner to the east: the slope there faces a sun in the east.
        east = np.gradient(cloud.thickness, axis=1) * (-1 if azimuth == 90 else 1)
        thick = cloud.thickness > 1
        sunny, dark = (cloud.shade[thick & (east * side > 0.5)].mean() for side in (1, -1))
        assert sunny > dark + 0.15
        assert sunny > 1 > dark
        assert cloud.shade.min() >= 0.5
        assert cloud.shade.max() <= 1.5


def test_each_band_has_its_own_line_of_sight():
    # 9 km up, seen at 10 degrees from the east: 9000 * tan(10 degrees) = 1587 m.
    look = Look(SENTINEL2, 10.0, 90.0, heading=180.0)
    assert look.shift("green", 9000.0) == pytest.approx((1586.9, 0.0), abs=0.1)
    # 2.055 s later on the way south: 9000 * 7.45 / 786 * (1.528 + 0.527) = 175.3 m.
    late, early = look.shift("nir08", 9000.0), look.shift("blue", 9000.0)
    assert late[1] - early[1] == pytest.approx(-175.3, abs=0.1)
    spans = [
        one.swing * (max(one.delay.values()) - min(one.delay.values()))
        for one in (LANDSAT, SENTINEL2)
    ]
    assert spans[0] < spans[1] / 2


def test_bands_of_sentinel2_are_weighted_means_of_landsats():
    for weights in SENTINEL2.weights.values():
        assert sum(weights.values()) == pytest.approx(1)
    assert set(SENTINEL2.noise) == set(SENTINEL2.delay) == set(SENTINEL2.sensor.roles)


def test_a_cloud_levels_off_at_its_peak_and_begins_at_its_level():
    layer = Layer(0, 1000.0, 10.0, (500.0,), level=0.5, peak=20.0)
    field = np.float32([-9, 0.4, 0.5, 0.6, 50])
    thick = layer.bulk(field)
    assert thick[0] == 0
    # Ten times 0.1 below the level: 0.3 / e. At the level exactly what counts as cloud.
    assert thick[1] == pytest.approx(0.3 * np.exp(-1), rel=1e-4)
    assert thick[2] == pytest.approx(CLOUD_THICKNESS)
    # With top = ln(20 / 0.3) = 4.19971: 0.3 * exp(1 / sqrt(1 + 1 / top ** 2)).
    assert thick[3] == pytest.approx(0.3 * np.exp(1 / np.sqrt(1 + 1 / 4.19971**2)), rel=1e-4)
    assert thick[4] == pytest.approx(20, rel=1e-3)


def test_stretched_clouds_are_longer_one_way():
    layer = Layer(3, 1000.0, 10.0, (900.0, 450.0), level=0.0, stretch=(4.0, 1.0))
    field = layer.field(X, Y)
    across, along = (np.abs(np.diff(field, axis=axis)).mean() for axis in (0, 1))
    assert across / along == pytest.approx(4, rel=0.35)


def test_seeds_are_other_weathers():
    layers = [Sky(seed, 0.3).over(BOUNDS).layers[0] for seed in range(8)]
    assert len({layer.steps for layer in layers}) == 8
    assert len({layer.peak for layer in layers}) == 8


def test_shadows_are_about_half_as_bright_not_black():
    # Thickness 10 along the beam: the beam keeps exp(-2.775) = 0.0623, 1 - 0.5650 goes through in
    # all, and 0.95 of what is scattered arrives: 0.0623 + 0.95 * (0.4350 - 0.0623).
    assert sunlight(np.float32([0, 10])) == pytest.approx([1, 0.4164], abs=1e-3)


def test_a_hill_throws_its_shade_away_from_the_sun():
    class Wall:
        """400 m of rise at x = 606 000, level on both sides."""

        def altitude(self, x, y):
            return np.where(x >= 606_000, 400.0, 0.0).astype(np.float32) + 0 * y

    x, y = np.arange(604_815.0, 606_600, 30)[None, :], np.array([[5_484_000.0]])
    # Sun in the east at 30 degrees: 400 m of wall shade 400 * 3 ** 0.5 = 693 m to the west.
    table = open_sky(Wall(), (30.0, 90.0), (x, y))
    share = table.at(x, y)[0]
    away = 606_000 - x[0]
    assert (share[(away > 100) & (away < 550)] < 0.35).all()
    np.testing.assert_allclose(share[(away > 850) | (away < -100)], 1, atol=1e-6)
    # Sun in the west: no shade on this side, and none behind: the ground there is as high.
    np.testing.assert_allclose(open_sky(Wall(), (30.0, 270.0), (x, y)).at(x, y), 1, atol=1e-6)
    assert open_sky(object(), (30.0, 90.0), (x, y)) is None
