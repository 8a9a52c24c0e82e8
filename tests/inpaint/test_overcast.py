"""Clouds without a gap: their light by hand, and how often they are painted."""

import numpy as np
import pytest

from nndacss.inpaint import render
from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.painter import Painter
from nndacss.inpaint.shapes import EDGE, Overcast
from nndacss.inpaint.steps import View, alone, overcast_steps
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import Layer
from nndacss.sensors import REFLECTIVE
from tests.inpaint.test_painter import C, X


def layer(rough=0.0, relief=0.0):
    return Layer(
        height=1000.0, depth=100.0, hem=25.0, width=30.0, peak=20.0, rough=rough, zoom=1.0,
        grain=1.0, stretch=1.0, absorption=1.0, ice=0.0, relief=relief,
    )  # fmt: skip


def test_an_even_sheet_by_hand():
    cloud = Overcast(layer(), 20.0, Texture(np.random.default_rng(0), 1.0))
    np.testing.assert_allclose(cloud.thickness(-300, 40, (8, 9)), EDGE + 20, rtol=1e-6)
    pixels, sets = np.full((6, 64, 64), 0.2, np.float32), np.full((64, 64), C, np.uint16)
    air = render.light(pixels, REFLECTIVE, "SR", 40.0)
    view = View(pixels, sets, REFLECTIVE, 20.0, Geometry(40.0, 150.0), air)
    done = alone(overcast_steps(view, [cloud], 0.0))
    assert (done.sets == X).all()
    # two streams, asymmetry 0.85: 20.4 x 0.1299 = 2.650, of which 2.650 / 3.650 is sent back; the
    # ground below gives 0.2 of the rest at most, less what its shadow takes
    share = 20.4 * 0.15 * 3**0.5 / 2
    share /= 1 + share
    assert share == pytest.approx(0.726, abs=5e-4)
    for role in ("red", "nir08"):
        found = done.pixels[REFLECTIVE.index(role)]
        assert share < found.min() <= found.max() < share + (1 - share) * 0.2
        assert np.ptp(found) < 1e-4
    # water takes 0.28 of what an endless cloud would send back, and of less in proportion
    swir, dull = done.pixels[REFLECTIVE.index("swir16")], share * (1 - 0.28 * share)
    assert dull < swir.min() <= swir.max() < dull + (1 - share) * 0.2


def test_texture_goes_on_beyond_a_window():
    cloud = Overcast(layer(rough=0.5), 20.0, Texture(np.random.default_rng(1), 1.3))
    whole, part = cloud.thickness(0, 0, (80, 80)), cloud.thickness(30, 20, (40, 40))
    np.testing.assert_allclose(whole[30:70, 20:60], part, rtol=1e-4)
    assert np.log(whole / (EDGE + 20)).std() == pytest.approx(0.5, rel=0.6)


def painted(bank, chance, **more):
    """Labels of 40 painted samples, and their red light."""
    pixels, sets = np.full((6, 96, 80), 0.1, np.float32), np.full((96, 80), C, np.uint16)
    options = PaintSettings(chance=1.0, overcast_chance=chance, cover=(0.05, 0.3), **more)
    paints = Painter(bank, options)
    done = [
        paints.paint(pixels, sets, REFLECTIVE, 20.0, None, np.random.default_rng(n), "SR")
        for n in range(40)
    ]
    return [one[1] for one in done], [one[0][2] for one in done]


def test_samples_are_overcast_as_often_as_asked(bank):
    def full(chance):
        return sum(bool((labels == X).all()) for labels in painted(bank, chance)[0])

    assert full(0.0) == 0
    assert 11 <= full(0.5) <= 29


def test_overcast_is_all_cloud_dull_or_bright_even_or_rough(bank):
    labels, red = painted(bank, 1.0, thick=(5.0, 45.0))
    assert all((one == X).all() for one in labels)
    bright = [float(np.median(one)) for one in red]
    # optical thickness 3 to 45: from 0.28 to 0.85 of the light, and a little of the ground's
    assert 0.28 < min(bright) < 0.45 < 0.7 < max(bright) < 0.9
    rough = [float(one.std() / one.mean()) for one in red]
    assert min(rough) < 0.05
    assert max(rough) > 0.15


def test_overcast_stays_within_thin_settings(bank):
    labels, red = painted(bank, 1.0, thick=(1.0, 2.0))
    assert all((one & X).all() for one in labels)
    assert max(float(np.median(one)) for one in red) < 0.35
