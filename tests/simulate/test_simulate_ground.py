import numpy as np
import pytest

from nndacss.simulate import spectra
from nndacss.simulate.landscape import Landscape
from nndacss.simulate.noise import fractal, mixed, normal, rough, spline, unit
from nndacss.simulate.region import Region

X = (600_000.0 + 7.5 * np.arange(200))[None, :]
Y = (-4_100_000.0 - 7.5 * np.arange(160))[:, None]


def test_hashes_are_uniform_and_differ_by_seed():
    numbers = np.arange(100_000)
    values = unit(mixed(numbers, numbers * 0, 1))
    assert abs(values.mean() - 0.5) < 0.005
    assert abs(values.std() - 12**-0.5) < 0.005
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(values, unit(mixed(numbers, numbers * 0, 2)))[0, 1]) < 0.01


def test_sensor_noise_has_mean_0_and_variance_1():
    values = normal(np.arange(400)[None, :], np.arange(300)[:, None], 5)
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01


def test_fractal_is_about_standard_normal():
    far = (1e3 * np.arange(300))[None, :], (1e3 * np.arange(300))[:, None]
    values = fractal(*far, (700, 300, 120), 3)
    assert abs(values.mean()) < 0.03
    assert abs(values.std() - 1) < 0.05


def test_spline_weights_sum_to_one():
    weights = spline(np.linspace(0, 1, 11, dtype=np.float32))
    np.testing.assert_allclose(sum(weights), 1, atol=1e-6)


@pytest.mark.parametrize(
    "field", [lambda x, y: fractal(x, y, (300, 40), 1), lambda x, y: rough(x, y, 11, 1)]
)
def test_a_part_is_the_same_bits_as_the_whole(field):
    whole = field(X, Y)
    np.testing.assert_array_equal(field(X[:, 37:91], Y[53:110]), whole[53:110, 37:91])


def test_points_give_the_same_bits_as_the_grid():
    ground, roles = Landscape(4), ("red", "nir08", "pan")
    whole = ground.reflectance(X, Y, roles)
    rows, columns = np.array([3, 77, 159]), np.array([0, 140, 33])
    points = ground.reflectance(X[0, columns], Y[rows, 0], roles)
    np.testing.assert_array_equal(points, whole[:, rows, columns])
    full = np.broadcast_to(X, (160, 200)), np.broadcast_to(Y, (160, 200))
    np.testing.assert_array_equal(ground.reflectance(*full, roles), whole)


def test_ground_is_reflectance_and_seeds_differ():
    roles = (*spectra.ROLES, "pan", "cirrus")
    first = Landscape(0).reflectance(X, Y, roles)
    assert first.dtype == np.float32
    assert first.shape == (9, 160, 200)
    assert first.min() >= 0
    assert first.max() < 1.6
    assert not first[-1].any()
    assert (Landscape(1).reflectance(X, Y, roles) != first).mean() > 0.5


def test_pan_is_the_weighted_mean_of_visible_bands():
    red, green, blue, pan = Landscape(0).reflectance(X, Y, ("red", "green", "blue", "pan"))
    np.testing.assert_allclose(pan, 0.4 * red + 0.5 * green + 0.1 * blue, rtol=1e-5)


def test_unknown_band_is_named():
    with pytest.raises(KeyError, match="lwir99"):
        spectra.band("lwir99")


def test_dry_country_is_dry_and_wet_country_wet():
    seeds = range(60)
    regions = [Region.drawn(seed) for seed in seeds]
    dry = next(seed for seed in seeds if regions[seed].dry == 1 and regions[seed].wet < 0.5)
    wet = next(seed for seed in seeds if regions[seed].wet > 2.5 and regions[seed].dry == 0)
    names = np.array(list(spectra.MATERIALS))
    kinds = {seed: names[Landscape(seed).materials(X, Y)] for seed in (dry, wet)}
    desert = np.isin(kinds[dry], ("steppe", "shrub", "sand")).mean()
    assert desert > 0.4
    assert (kinds[wet] == "water").mean() > (kinds[dry] == "water").mean()
    assert 0.4 < np.mean([region.dry == 0 for region in regions]) < 0.6


def test_materials_decide_what_is_seen():
    ground = Landscape(4)
    kinds, red = ground.materials(X, Y), ground.reflectance(X, Y, ("red",))[0]
    ends = spectra.band("red")
    # Light on slopes is 0.2 to 1.4 and the grain at most 0.25: reflectance stays near its ends.
    least, most = ends.min(axis=0).take(kinds), ends.max(axis=0).take(kinds)
    assert (red >= 0.2 * 0.75 * least - 1e-6).all()
    assert (red <= 1.4 * 1.25 * most + 1e-6).all()
