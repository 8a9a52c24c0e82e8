"""Snow all over a patch: its light by hand, its labels, and what it leaves alone."""

import numpy as np
import pytest

from nndacss.datasets.snow_spectra import SnowSpectra
from nndacss.inpaint import render
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.snowfields import GRAINS, SUN, draw, laid
from nndacss.inpaint.tools import Tools
from nndacss.sensors import REFLECTIVE
from tests.inpaint.test_painter import C, S, X, scene, seen

LIGHT = render.Light(*(np.full(2, value, np.float32) for value in (0.0, 0.2, 0.9)))
ROLES = ("nir08", "swir16")


def snow(ground, **more):
    """One row of a wide even image with one brighter pixel, under full snow, half old."""
    pixels = np.full((2, 64, 64), 0.2, np.float32)
    pixels[:, 32, 32] = ground
    return render.snow(pixels, ROLES, LIGHT, np.ones((64, 64), np.float32), 0.5, **more)


def test_snow_by_hand():
    # 0.9 x the mean of old and fresh, in both bands
    plain, fine = snow(0.2), snow(0.2, grain=0.1)
    assert plain[:, 0, 0] == pytest.approx([0.9 * 0.635, 0.9 * 0.036])
    # red is 0.745; ice of 13 x 0.1 mm passes exp(-sqrt(0.00455)), exp(-sqrt(2.73))
    assert fine[:, 0, 0] == pytest.approx([0.9 * 0.745 * 0.9348, 0.9 * 0.745 * 0.1916], rel=1e-3)


def test_a_lower_sun_passes_more_ozone_by_hand():
    # 2 times the air with the sun overhead, 3 times at 30 degrees
    lower = render.under_sun(LIGHT, 90.0, 30.0)
    assert lower.ozone == pytest.approx([0.9**1.5] * 2)
    assert lower.path is LIGHT.path
    assert lower.sky is LIGHT.sky


#: Medians of cloudless chips of L8 Biome, top of atmosphere, and the sun, age, grain and
#: brightness that are tried for each.
ICE = {
    "SnowIce_00": ((0.84, 0.72, 0.77, 0.82, 0.20, 0.23), 12.0, 0.0, 0.09, 0.98),
    "SnowIce_01": ((0.95, 0.86, 0.89, 0.86, 0.08, 0.09), 25.0, 0.0, 0.22, 1.02),
    "Water_01": ((0.46, 0.42, 0.42, 0.34, 0.01, 0.01), 30.0, 1.0, 1.5, 0.85),
}


@pytest.mark.parametrize("name", ICE)
def test_some_sun_and_grains_give_the_colours_of_real_ice(name):
    found, sun, age, grain, bright = ICE[name]
    pixels = np.full((6, 32, 32), 0.3, np.float32)
    air = render.under_sun(render.light(pixels, REFLECTIVE, "TOA", 45.0), 45.0, sun)
    full = np.ones((32, 32), np.float32)
    seen = render.snow(pixels, REFLECTIVE, air, full, age, grain=grain)[:, 0, 0]
    assert SUN[0] <= sun <= SUN[1]
    assert GRAINS[0] <= grain <= GRAINS[1]
    assert bright * seen == pytest.approx(found, abs=0.07)
    # what tells ice from cloud without short-wave infrared
    assert seen[3] / seen[2] == pytest.approx(found[3] / found[2], abs=0.03)


def test_grains_tie_infrared_bands_together_as_real_snow_does(shared_data):
    # labelled points of four glaciers: their grains by 1.6 um, then what other bands should be
    samples = SnowSpectra(folder=shared_data("spectra"), count=1)
    names = [name for name in samples.names() if "landsat-sr" in name]
    every = [samples.load(name) for name in names]
    points = np.concatenate([one.pixels[:, one.sets == S].T for one in every])
    red, near, short, shorter = points[points[:, 2] > 0.4][:, 2:].T
    ratio = short / red
    for low, high in ((0.01, 0.02), (0.02, 0.04), (0.04, 0.08), (0.08, 0.12), (0.12, 0.2)):
        some = (ratio >= low) & (ratio < high)
        grain = np.log(ratio[some]) ** 2 / (13 * render.ABSORPTION["swir16"])
        told = [
            np.median(np.exp(-np.sqrt(13 * grain * render.ABSORPTION[b])))
            for b in ("nir08", "swir22")
        ]
        assert told[0] == pytest.approx(np.median(near[some] / red[some]), abs=0.07)
        assert told[1] == pytest.approx(np.median(shorter[some] / red[some]), abs=0.03)


def test_relief_is_the_power_of_the_grounds_texture():
    whole, root, none = (snow(0.22, relief=power)[0, 32, 32] for power in (1.0, 0.5, 0.0))
    even = snow(0.2)[0, 0, 0]
    # the pixel is a tenth brighter than what is around, which it brightens a little itself
    assert whole / even == pytest.approx(1.1, abs=0.01)
    assert root / even == pytest.approx((whole / even) ** 0.5, rel=1e-4)
    assert none == pytest.approx(even)


@pytest.mark.parametrize("seed", range(12))
def test_a_field_covers_what_may_be_clear_and_nothing_else(bank, seed):
    pixels, sets = scene(seed)
    tools = Tools(bank, PaintSettings())
    assert tools.snowfield(seen(pixels, sets), rng := np.random.default_rng(seed)).pixels is pixels
    # what is drawn does not depend on the patch
    again = np.random.default_rng(seed)
    sets = np.where(sets & X, 0, sets).astype(np.uint16)
    view = seen(pixels, sets)
    done = tools.snowfield(view, again)
    assert rng.random() == again.random()
    other = sets & C == 0
    np.testing.assert_array_equal(done.sets[other], sets[other])
    np.testing.assert_array_equal(done.pixels[:, other], pixels[:, other])
    np.testing.assert_array_equal(np.isnan(done.pixels), np.isnan(pixels))
    # clear stays so, may be snow, or is snow; "shadow too" is kept where no water was laid
    assert (done.sets[~other] & (C | S) != 0).all()
    assert (done.sets & X == 0).all()


def fields(bank, kind, count=12):
    """Views of an even ground with two brightnesses, under snowfields of one kind."""
    pixels, sets = np.full((6, 96, 80), 0.1, np.float32), np.full((96, 80), C, np.uint16)
    pixels[:, :, 40:] = 0.06
    view, found = seen(pixels, sets), []
    for seed in range(200):
        field = draw(bank, view, np.random.default_rng(seed))
        if field.kind == kind and len(found) < count:
            found.append((laid(view, field), field))
    assert len(found) == count
    return view, found


def test_plains_are_nothing_but_snow_and_bright(bank):
    _, found = fields(bank, "plain")
    assert all((one.sets == S).all() for one, _ in found)
    red = [float(np.median(one.pixels[2])) for one, _ in found]
    # old snow, least bright: 0.56 x 0.85; fresh, most: 0.93 x 1.1
    assert 0.4 < min(red) < 0.8 < max(red) < 1.05
    # by the grains, and dull snow is never of fine ones
    for one, field in found:
        near, short = (float(np.median(one.pixels[band] / one.pixels[2])) for band in (3, 4))
        assert near == pytest.approx(np.exp(-np.sqrt(13 * field.grain * 0.0035)), abs=0.01)
        assert short == pytest.approx(np.exp(-np.sqrt(13 * field.grain * 2.1)), abs=0.01)
        assert field.age <= np.log(field.grain / 0.08) / np.log(1.5 / 0.08)
    rough = [float((one.pixels[3] / one.pixels[3].mean(axis=0)).std()) for one, _ in found]
    assert min(rough) < 0.01 < 0.02 < max(rough)


def test_floes_leave_nothing_but_open_water_between_them(bank):
    _, found = fields(bank, "floes")
    mixed = [one for one, _ in found if (one.sets == C).any() and (one.sets == S).any()]
    assert len(mixed) > 3
    for one in mixed:
        assert one.pixels[3][one.sets == C].mean() < 0.1
        assert one.pixels[4][one.sets == C].mean() < 0.02
        assert one.pixels[2][one.sets == S].mean() > 0.3


def test_snow_in_woods_lies_most_where_the_ground_is_brightest(bank):
    view, found = fields(bank, "woods")
    for one, field in found:
        assert field.cover[:, :40].mean() > field.cover[:, 40:].mean()
        assert (one.pixels[2] > view.pixels[2]).mean() > 0.5
        certain = field.cover >= 0.6
        np.testing.assert_array_equal(one.sets[certain], S)
        np.testing.assert_array_equal(one.sets[field.cover < 0.2], C)
        np.testing.assert_array_equal(one.sets[~certain & (field.cover >= 0.2)], C | S)


def test_ice_of_lakes_lies_in_water_and_the_land_stays(bank):
    view, found = fields(bank, "lake")
    icy = 0
    for one, field in found:
        assert (field.cover <= field.water).all()
        land = field.water == 0
        np.testing.assert_array_equal(one.pixels[:, land], view.pixels[:, land])
        np.testing.assert_array_equal(one.sets[land], C)
        icy += bool((one.sets == S).any())
    assert icy > 6


def test_painting_lays_fields_below_clouds_as_often_as_asked(bank):
    pixels, sets = np.full((6, 96, 80), 0.1, np.float32), np.full((96, 80), C, np.uint16)

    def snowy(chance):
        paints = Painter(bank, PaintSettings(chance=1.0, snowfield_chance=chance, cover=(0.3, 0.5)))
        rngs = [np.random.default_rng(n) for n in range(40)]
        patch = Patch(pixels, sets, REFLECTIVE, 20.0, None, "SR")
        done = paints.paint_batch([patch] * 40, rngs)
        snows = [one for one in done if any("snow:" in word for word in one.story)]
        return len(snows), sum(bool((one.sets & X).any()) for one in snows)

    assert snowy(0.0) == (0, 0)
    snows, _ = snowy(0.5)
    assert 11 <= snows <= 29
    snows, cloudy = snowy(1.0)
    assert snows == 40
    assert 11 <= cloudy <= 29
