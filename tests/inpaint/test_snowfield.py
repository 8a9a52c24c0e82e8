"""Snow all over a patch: its light by hand, its labels, and what it leaves alone."""

import numpy as np
import pytest

from nndacss.inpaint import render
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.painter import Painter
from nndacss.inpaint.tools import Tools
from nndacss.sensors import REFLECTIVE
from tests.inpaint.test_painter import C, H, S, X, scene, seen

LIGHT = render.Light(*(np.full(2, value, np.float32) for value in (0.0, 0.2, 0.9)))
ROLES = ("nir08", "swir16")


def snow(ground, **more):
    """One row of a wide even image with one brighter pixel, under full snow, half old."""
    pixels = np.full((2, 64, 64), 0.2, np.float32)
    pixels[:, 32, 32] = ground
    return render.snow(pixels, ROLES, LIGHT, np.ones((64, 64), np.float32), 0.5, **more)


def test_snow_by_hand():
    # 0.9 x the mean of old and fresh, in both bands
    plain, fine, half = snow(0.2), snow(0.2, fine=1.0), snow(0.2, fine=0.5)
    assert plain[:, 0, 0] == pytest.approx([0.9 * 0.635, 0.9 * 0.036])
    assert fine[:, 0, 0] == pytest.approx([0.9 * 0.635, 0.9 * 0.24])
    assert half[1, 0, 0] == pytest.approx(0.9 * 0.138)


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
    # clear has become snow, or may be it; "shadow too" is kept
    assert ((done.sets & S != 0) | (done.sets == sets))[~other].all()
    np.testing.assert_array_equal(done.sets & (H | X), sets & (H | X))


def test_fields_are_bright_and_most_are_nothing_but_snow(bank):
    pixels, sets = np.full((6, 96, 80), 0.1, np.float32), np.full((96, 80), C, np.uint16)
    tools = Tools(bank, PaintSettings())
    view = seen(pixels, sets)
    done = [tools.snowfield(view, np.random.default_rng(seed)) for seed in range(60)]
    whole = [one for one in done if (one.sets == S).all()]
    assert 0.5 * len(done) < len(whole) < len(done)
    red = [float(np.median(one.pixels[2])) for one in done]
    # old snow, darkest sun, least cover and ground: 0.3 x 0.75 x 0.56 + 0.7 x 0.1, about
    assert 0.15 < min(red) < 0.5 < 0.8 < max(red) < 1.05
    dull = [float(np.median(one.pixels[4])) for one in done]
    assert min(dull) < 0.05 < 0.15 < max(dull) < 0.3
    rough = [float(one.pixels[3].std() / one.pixels[3].mean()) for one in whole]
    assert min(rough) < 0.01
    assert max(rough) > 0.02


def test_painting_lays_fields_below_clouds_as_often_as_asked(bank):
    pixels, sets = np.full((6, 96, 80), 0.1, np.float32), np.full((96, 80), C, np.uint16)

    def snowy(chance):
        paints = Painter(bank, PaintSettings(chance=1.0, snowfield_chance=chance, cover=(0.3, 0.5)))
        found = [
            paints.paint(pixels, sets, REFLECTIVE, 20.0, None, np.random.default_rng(n), "SR")[1]
            for n in range(40)
        ]
        fields = [labels for labels in found if (labels & S).any()]
        cloudy = sum(bool((labels & X).any()) for labels in fields)
        return len(fields), cloudy

    assert snowy(0.0) == (0, 0)
    fields, _ = snowy(0.5)
    assert 11 <= fields <= 29
    fields, cloudy = snowy(1.0)
    assert fields == 40
    assert 11 <= cloudy <= 29
