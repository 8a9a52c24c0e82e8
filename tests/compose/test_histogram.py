"""Histogram matching: order statistics, plain numpy, albumentations."""

import os
from dataclasses import replace

import numpy as np
import pytest

from nndacss.compose.histogram import METHOD
from nndacss.compose.options import ComposeOptions, HistogramOptions
from tests.compose.places import place


def matched(views, seed=None, **histogram):
    rng = None if seed is None else np.random.default_rng(seed)
    return METHOD(views, ComposeOptions(histogram=HistogramOptions(**histogram)), rng).pixels


def test_sorted_values_become_landsats():
    """As many pixels, no ties: the n-th brightest gets the n-th brightest value of Landsat."""
    rng = np.random.default_rng(0)
    ranks = np.stack([rng.permutation(48 * 56).reshape(48, 56) for _ in range(12)]) / (48 * 56)
    harmonized, landsat = ranks[:6].astype(np.float32), (1.3 * ranks[6:] ** 2).astype(np.float32)
    views = place(nodata=True, harmonized=harmonized, landsat=landsat)
    found = matched(views, blend=1)
    for band in range(6):
        own, got = harmonized[band, views.valid], found[band, views.valid]
        wanted = np.sort(landsat[band, views.valid])
        np.testing.assert_allclose(got[np.argsort(own)], wanted, atol=2e-7)


def test_ties_and_blend_worked_by_hand():
    harmonized = np.array([[0, 0, 1, 2]], dtype=np.float32) / 10
    landsat = np.array([[8, 7, 6, 5]], dtype=np.float32) / 10
    views = place((1, 4), landsat=np.stack([landsat] * 6), harmonized=np.stack([harmonized] * 6))
    views = replace(views, labels=np.zeros((1, 4), dtype=np.uint8))
    # 0 stands for the lower half: 0.6 is not exceeded by half of Landsat's pixels
    np.testing.assert_allclose(matched(views, blend=1)[2], [[0.6, 0.6, 0.7, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(matched(views, blend=0.5)[2], [[0.3, 0.3, 0.4, 0.5]], rtol=1e-6)
    np.testing.assert_array_equal(matched(views, blend=0), views.harmonized)


def test_classes_that_decide():
    """Only clouds decide; other pixels follow the clouds' curve, and beyond it its ends."""
    views = place()
    offset = replace(
        views,
        harmonized=np.where(views.labels == 3, views.landsat - np.float32(0.1), views.harmonized),
    )
    found = matched(offset, over=("cloud",), blend=1)
    cloud = views.labels == 3
    np.testing.assert_allclose(found[:, cloud], views.landsat[:, cloud], atol=1e-6)
    np.testing.assert_allclose(found - offset.harmonized, 0.1, atol=0.02)
    unlike = replace(offset, landsat=np.where(cloud, views.landsat, np.float32(0.9)))
    np.testing.assert_array_equal(matched(unlike, over=("cloud",), blend=1), found)


def test_bright_pixels_are_not_cut_off():
    views = place()
    brighter = views.harmonized.copy()
    clear = np.argwhere(views.labels == 0)[0]
    brighter[:, *clear] = 1.5
    found = matched(replace(views, harmonized=brighter), over=("snow",), blend=1)
    assert (found[:, *clear] > 1.3).all()


def test_no_pixel_that_decides():
    views = place()
    clear = replace(views, labels=np.zeros_like(views.labels))
    np.testing.assert_array_equal(matched(clear, over=("cloud",)), views.harmonized)


def test_draws_stay_within_their_limits():
    views = place()
    whole = matched(views, blend=1) - views.harmonized
    for seed in range(5):
        part = matched(views, seed, blend_limits=(0.6, 0.7)) - views.harmonized
        share = (part * whole).sum() / (whole * whole).sum()
        assert 0.6 <= share <= 0.7


def test_as_albumentations(monkeypatch):
    """As its float matching up to 1.3; 2.0 has 256 levels and truncates, so it lies up to 2 below.

    One level for the match, one for the blend.
    """
    monkeypatch.setitem(os.environ, "NO_ALBUMENTATIONS_UPDATE", "1")
    why = "pip install albumentations opencv-python-headless to compare"
    library = pytest.importorskip("albumentations", reason=why)
    old = library.__version__.startswith(("1.0.", "1.1.", "1.2.", "1.3."))
    if old:
        from albumentations.augmentations.domain_adaptation import apply_histogram
    else:
        from albumentations.augmentations.mixing.domain_adaptation_functional import apply_histogram
    views = place()
    levels = [np.rint(np.clip(image, 0, 0.99) * 255) for image in (views.harmonized, views.landsat)]
    images = [(level / 255).astype(np.float32) for level in levels]
    given = images if old else [level.astype(np.uint8) for level in levels]
    for blend in (1.0, 0.6):
        last = [np.ascontiguousarray(np.moveaxis(image, 0, -1)) for image in given]
        theirs = np.moveaxis(apply_histogram(*last, blend_ratio=blend), -1, 0)
        ours = matched(replace(views, harmonized=images[0], landsat=images[1]), blend=blend)
        if old:
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
        else:
            below = ours * 255 - theirs
            assert below.min() > -0.51
            assert below.max() < 2
