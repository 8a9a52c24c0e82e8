"""What holds for every composition method, drawn or fixed."""

from dataclasses import replace

import numpy as np
import pytest

from nndacss import plugins
from nndacss.compose.options import ComposeOptions
from nndacss.plugins import load
from nndacss.sensors import REFLECTIVE
from tests.compose.places import place

#: method -> the options under which it is tried
VARIANTS = {
    "bandpass": [{}],
    "bicubic": [{}],
    "deep": [{}],
    "fourier": [
        {"fourier": {"block": 160}},
        {"fourier": {"by": "beta", "mirror": 70}},
        {"fourier": {"by": "beta", "beta": 0.5}},
    ],
    "histogram": [{}, {"histogram": {"over": ["cloud"]}}],
    "mix_channels": [{"mix_channels": {"kind": kind}} for kind in ("original", "linear", "pixel")],
    "by_class": [
        {"adapted": "fourier", "feather": 45, "fourier": {"block": 160}},
        {"adapted": "histogram"},
        {"adapted": "mix_channels", "classes": ["snow"]},
        {"adapted": "bicubic", "feather": 30},
        {"adapted": "deep"},
    ],
}
CASES = [(name, changes) for name, several in VARIANTS.items() for changes in several]
#: `bandpass` alone gives another image even where both are the same.
of_both = pytest.mark.parametrize(
    ("name", "changes"), [case for case in CASES if case[0] != "bandpass"], ids=str
)
every = pytest.mark.parametrize(("name", "changes"), CASES, ids=str)
either = pytest.mark.parametrize("seed", [None, 5], ids=["fixed", "drawn"])


def composed(views, name, changes, seed=None):
    rng = None if seed is None else np.random.default_rng(seed)
    return load("compose", name)(views, ComposeOptions.model_validate(changes), rng)


def test_every_method_is_tried():
    assert set(VARIANTS) == set(plugins.names("compose"))


@of_both
@either
def test_two_equal_images_give_the_same(name, changes, seed):
    views = place(nodata=True)
    same = replace(views, harmonized=views.landsat)
    result = composed(same, name, changes, seed)
    expected = np.where(same.valid, same.landsat, np.nan)
    np.testing.assert_array_equal(result.pixels, expected)


@every
@either
def test_nodata_stays_and_does_not_leak(name, changes, seed):
    views = place(nodata=True)
    result = composed(views, name, changes, seed)
    assert result.pixels.shape == (6, *views.labels.shape)
    assert result.pixels.dtype == np.float32
    missing = np.isnan(views.landsat).any(axis=0) | (views.labels == 255)
    np.testing.assert_array_equal(np.isnan(result.pixels), np.broadcast_to(missing, (6, 48, 56)))
    assert not result.changed[missing].any()
    for below in (np.nan, 1e4, -np.inf):
        landsat, harmonized = views.landsat.copy(), views.harmonized.copy()
        harmonized[:, missing] = below
        landsat[1:, missing] = below  # band 3 keeps its NaN where that is what makes it nodata
        landsat[3, missing & (views.labels != 255)] = np.nan
        other = composed(
            replace(views, landsat=landsat, harmonized=harmonized), name, changes, seed
        )
        np.testing.assert_array_equal(other.pixels, result.pixels)


@every
@either
def test_inputs_are_left_alone_and_not_handed_on(name, changes, seed):
    views = place(nodata=True)
    before = [array.copy() for array in (views.landsat, views.harmonized, views.labels)]
    result = composed(views, name, changes, seed)
    result.pixels[...] = 7
    for array, old in zip((views.landsat, views.harmonized, views.labels), before, strict=True):
        np.testing.assert_array_equal(array, old)


@every
def test_only_the_generator_decides(name, changes):
    views = place()
    first, again, other = (composed(views, name, changes, seed).pixels for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    draws = not {name, changes.get("adapted")} & {"bandpass", "bicubic", "deep"}
    assert np.array_equal(first, other) != draws
    fixed = composed(views, name, changes).pixels
    np.testing.assert_array_equal(fixed, composed(views, name, changes).pixels)


@every
@either
def test_what_is_not_changed_is_harmonized(name, changes, seed):
    views = place()
    result = composed(views, name, changes, seed)
    differs = (result.pixels != views.harmonized).any(axis=0)
    assert not differs[~result.changed].any()
    assert differs.any() == ("deep" not in (name, changes.get("adapted")))


@every
def test_tiny_and_empty_images(name, changes):
    for shape in ((1, 1), (1, 9), (5, 2)):
        views = place(shape)
        assert np.isfinite(composed(views, name, changes).pixels).all()
    views = place()
    none = replace(views, labels=np.full_like(views.labels, 255))
    result = composed(none, name, changes)
    assert np.isnan(result.pixels).all()
    assert not result.changed.any()
    no_class = replace(views, labels=np.zeros_like(views.labels))
    assert np.isfinite(composed(no_class, name, changes).pixels).all()


def test_bandpass_stands_in_where_nothing_is_harmonized():
    views = place(nodata=True)
    hole = np.isnan(views.harmonized).any(axis=0)
    pixels = composed(views, "deep", {}).pixels
    everywhere = composed(views, "bandpass", {}).pixels
    np.testing.assert_array_equal(everywhere[:, hole], pixels[:, hole])
    np.testing.assert_allclose(
        everywhere[0, views.valid], (views.landsat[0, views.valid] + 0.0040) / 0.9778, rtol=1e-6
    )
    # HLS: OLI = slope * MSI + offset; Sentinel-2A's blue and red
    for role, slope, offset in (("blue", 0.9778, -0.0040), ("red", 0.9765, 0.0009)):
        band = REFLECTIVE.index(role)
        wanted = (views.landsat[band, hole] - offset) / slope
        np.testing.assert_allclose(pixels[band, hole], wanted, rtol=1e-6)
    rest = views.valid & ~hole
    np.testing.assert_array_equal(pixels[:, rest], views.harmonized[:, rest])
