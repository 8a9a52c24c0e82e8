"""Classical pan-sharpening against the product's own and against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pansharpening import CLASSICAL, DARK, WEIGHTS, brovey, gsa, match, regression, to_30_m
from real_crops import Planes
from scipy.ndimage import gaussian_filter

from nndacss.harmonize.pan import sharpen
from nndacss.models.harmonizer_card import ROLES
from nndacss.tile.warp import warp


@pytest.fixture(scope="module")
def ground():
    """(6, 360, 360) truth at 10 m: patches and grain, bands alike but for the near infrared."""
    random = np.random.default_rng(5)
    shape = sum(
        gaussian_filter(random.standard_normal((360, 360)), size) * size for size in (0.8, 2, 8, 20)
    )
    shape = (shape - shape.mean()) / shape.std()
    own = gaussian_filter(random.standard_normal((6, 360, 360)), (0, 4, 4)) * 4
    gains = np.array([0.010, 0.015, 0.02, -0.03, 0.03, 0.02])[:, None, None]
    levels = np.array([0.08, 0.1, 0.12, 0.3, 0.25, 0.15])[:, None, None]
    return (levels + gains * shape + 0.005 * own).clip(0.02).astype(np.float32)


@pytest.fixture(scope="module")
def seen(ground):
    """The truth as Landsat would see it, as a scene; the window that is compared; the input."""
    ten = GeoBox((360, 360), Affine(10, 0, 5, 0, -10, 5), "EPSG:32632")
    thirty = GeoBox((119, 119), Affine(30, 0, 15, 0, -30, -15), "EPSG:32632")
    fifteen = GeoBox((236, 236), Affine(15, 0, 22.5, 0, -15, -22.5), "EPSG:32632")
    pan = np.tensordot(WEIGHTS, ground, axes=1).astype(np.float32)[None] * 0.9 + 0.04
    bands = warp(gaussian_filter(ground, (0, 1.2, 1.2)), ten, thirty, "average")
    pan = warp(gaussian_filter(pan, (0, 0.6, 0.6)), ten, fifteen, "average")
    planes = {role: (band, thirty) for role, band in zip(ROLES, bands, strict=True)}
    scene = Planes({**planes, "pan": (pan[0], fifteen)}, np.zeros((119, 119), np.uint16))
    place = np.s_[30:330, 30:330]
    inputs = np.concatenate([scene.read(roles, ten[place]).pixels for roles in (ROLES, ("pan",))])
    return scene, ten[place], inputs, ground[:, 30:330, 30:330]


def error(estimate, truth):
    inside = np.s_[:, 24:-24, 24:-24]
    return np.sqrt(np.square((estimate - truth)[inside]).mean(axis=(1, 2)))


def test_regression_on_10_m_is_as_good_as_the_products(seen):
    scene, grid, inputs, truth = seen
    product, _ = sharpen(scene, ROLES, grid)
    assert error(regression(inputs), truth) == pytest.approx(error(product, truth), rel=0.02)
    assert (error(product, truth)[:3] < 0.75 * error(inputs[:6], truth)[:3]).all()


def test_classical_methods_bring_detail(seen):
    _, _, inputs, truth = seen
    for name, method in CLASSICAL.items():
        gain = error(method(inputs), truth) / error(inputs[:-1], truth)
        assert (gain[:3] < 0.85).all(), name


def test_brovey_is_its_formula(seen):
    _, _, inputs, _ = seen
    intensity = np.tensordot(WEIGHTS, inputs[:6], axes=1)
    low = to_30_m(np.stack([inputs[6], intensity]).astype(np.float32))
    factor = low[1].std() / low[0].std()
    pan = factor * (inputs[6] - low[0].mean()) + low[1].mean()
    np.testing.assert_allclose(brovey(inputs), inputs[:6] * pan / intensity, rtol=1e-4)


def test_gsa_of_a_pan_that_holds_nothing_new_changes_nothing(seen):
    """A pan that is a mix of the bands in every pixel has no detail beyond them."""
    _, _, inputs, _ = seen
    given = inputs.copy()
    given[6] = np.tensordot([0.1, 0.3, 0.2, 0.1, 0.0, 0.2], given[:6], axes=1) + 0.05
    np.testing.assert_allclose(gsa(given), given[:6], atol=2e-5)


def test_match_gives_mean_and_spread():
    pan = np.array([[1.0, 3.0], [5.0, np.nan]], dtype=np.float32)
    found = match(pan, pan, np.array([[0.1, 0.2], [0.3, 0.9]], dtype=np.float32))
    assert found[0].tolist() == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize("method", [regression, brovey, gsa])
def test_bands_stay_as_they_are_where_pan_is_missing(seen, method):
    inputs = seen[2].copy()
    inputs[6, :, :150] = np.nan
    inputs[2, 200:210, 200:210] = np.nan
    found = method(inputs)
    assert np.array_equal(found[:, :, :150], inputs[:6, :, :150], equal_nan=True)
    assert np.isnan(found[2, 200:210, 200:210]).all()
    assert not np.isnan(found[2, :200]).any()
    inputs[6] = np.nan
    assert np.array_equal(method(inputs), inputs[:6], equal_nan=True)


def test_brovey_leaves_dark_ground_alone(seen):
    inputs = seen[2].copy()
    inputs[:3, 40:60, 40:60] = DARK / 2
    assert np.array_equal(brovey(inputs)[:, 40:60, 40:60], inputs[:6, 40:60, 40:60])
