"""Bringing an output back to the scene's own pixels, on a scene that is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from real_crops import (
    BIAS,
    RMSE,
    Crop,
    Planes,
    brought_back,
    energy,
    measure_real,
    over_limits,
    two_rasters,
)

from nndacss.errors import DatasetError
from nndacss.harmonize.spectral import step, unchanged
from nndacss.metrics.image import bias, rmse
from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.degrade import OLI_SIGMA

SIZE = 60


def waves(rows, columns, metres, edge):
    """(6, rows, columns) waves of 240 m at pixel centres, east and south of `edge` metres."""
    down, across = (edge + metres * (np.arange(count) + 0.5) for count in (rows, columns))
    phase = 2 * np.pi / 240 * (down[:, None] + 0.5 * across[None, :])
    levels = np.array([0.08, 0.1, 0.12, 0.3, 0.25, 0.15])[:, None, None]
    return levels, 0.05 * np.sin(phase)[None]


@pytest.fixture
def crop():
    """What OLI sees of waves on its 30 m pixels: less of them, by its point spread and its box."""
    levels, wave = waves(SIZE, SIZE, 30, 0)
    k = 2 * np.pi / 240 * np.array([1, 0.5])
    passed = np.exp(-(OLI_SIGMA[30] ** 2) * (k**2).sum() / 2) * np.sinc(k * 30 / 2 / np.pi).prod()
    seen = (levels + passed * wave).astype(np.float32)
    grid = GeoBox((SIZE, SIZE), Affine(30, 0, 600_015, 0, -30, 4_999_995), "EPSG:32632")
    codes = np.full((SIZE, SIZE), 1 << 6, dtype=np.uint16)
    codes[10:14, 10:14] = 1 << 3  # cloud
    planes = {role: (band, grid) for role, band in zip(ROLES, seen, strict=True)}
    return Crop("waves", Planes(planes, codes))


def truth(crop):
    """The waves themselves on the product's grid, in the target's bands."""
    rows, columns = crop.grid.shape
    edge = crop.grid.affine.c - 600_015
    assert 4_999_995 - crop.grid.affine.f == pytest.approx(edge)
    levels, wave = waves(rows, columns, 10, edge)
    ground = (levels + wave).astype(np.float32)
    there = np.isnan(crop.inputs[:-1])
    return np.where(there, np.nan, step("sentinel-2a").apply(ground)).astype(np.float32)


def test_the_truth_gives_the_scene_back(crop):
    estimate, scene = brought_back(truth(crop), step("sentinel-2a"), crop)
    assert (np.abs(bias(estimate, scene)) < 1e-4).all()
    assert (rmse(estimate, scene) < 4e-4).all()  # 10 m samples of the waves
    known = ~np.isnan(estimate).any(axis=0)
    assert not known[10:14, 10:14].any()
    assert known[20:40, 20:40].all()
    assert not known[[0, 1, -1, -2]].any()


def test_what_is_not_the_truth_does_not(crop):
    """Resampled only: blurred twice. Off by 0.01 in one band: that bias."""
    estimate, scene = brought_back(crop.inputs[:-1], unchanged(ROLES), crop)
    assert (rmse(estimate, scene) > 0.002).all()
    shifted = truth(crop)
    shifted[3] += np.float32(0.01)
    estimate, scene = brought_back(shifted, step("sentinel-2a"), crop)
    assert bias(estimate, scene)[3] == pytest.approx(0.01, abs=1e-4)
    assert np.abs(bias(estimate, scene)[[0, 1, 2, 4, 5]]).max() < 1e-4


def test_limits():
    fine = {"bias": {"red": -BIAS}, "rmse": {"red": RMSE}}
    assert over_limits(fine) == []
    bad = {"bias": {"red": -2 * BIAS}, "rmse": {"red": 2 * RMSE}}
    assert over_limits(bad) == ["bias red", "RMSE red"]


def test_energy_by_hand():
    ramp = np.arange(5, dtype=np.float32)[None, None, :] * 0.1 + np.zeros((1, 4, 1), np.float32)
    assert energy(ramp) == pytest.approx([0.01])


def test_two_dates_are_calibrated(shared_data):
    """Surface reflectance and top of atmosphere of one place by the metadata's own constants."""
    folder = shared_data("deep-harmonization-inputs")
    planes = two_rasters(sorted(folder.glob("*_SR.tif"))[0])
    assert planes.grid("pan").resolution.x == 15
    assert planes.roles == (*ROLES, "pan")
    means = [float(np.nanmean(planes.planes[role][0])) for role in ("green", "red", "pan")]
    # haze brightens pan over the ground's green and red
    assert 0.05 < means[0] < means[1] < means[2] < 0.2
    assert (planes.quality() == 21824).mean() > 0.99


def test_no_crops_is_told(tmp_path):
    with pytest.raises(DatasetError, match="no crops"):
        measure_real(tmp_path, [])
