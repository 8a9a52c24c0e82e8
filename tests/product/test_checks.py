"""30 m consistency on hand-worked arrays, seams on an artificial one."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.harmonize.spectral import Spectral, step
from nndacss.product import checks, consistency, sheets
from nndacss.raster import Raster
from nndacss.tile.settings import TileSettings

FINE = GeoBox((60, 60), Affine(10, 0, 300_000, 0, -10, 600_000), "EPSG:32632")
COARSE = GeoBox((20, 20), Affine(30, 0, 300_000, 0, -30, 600_000), "EPSG:32632")
#: OLI = 0.8 * product + 0.01
SPECTRAL = Spectral(("red",), ((1.25,),), (-0.0125,))


def flat_scene(value):
    """A scene that reads `value` (a number or 20 x 20 of them) in every band."""
    pixels = np.broadcast_to(np.float32(value), (20, 20))

    def read(roles, grid):
        row = round((600_000 - grid.affine.f) / 30)
        column = round((grid.affine.c - 300_000) / 30)
        part = pixels[row : row + grid.shape[0], column : column + grid.shape[1]]
        return Raster(np.stack([part] * len(roles)).astype(np.float32), grid, tuple(roles))

    return SimpleNamespace(grid=lambda role: COARSE, read=read)


def apart(pixels, scene):
    found = consistency.Consistency(("red",))
    counts = np.rint(np.nan_to_num(pixels, nan=-1) * 10000).astype(np.int32)
    sheet = replace(sheets.reflectance(("red",), "SR"), nodata=-10000)
    as_seen = consistency.undone(counts, sheet, 0, SPECTRAL.inverse())
    found.add(0, consistency.difference(as_seen, FINE, scene, ("red",)))
    return found.result()["bands"]["red"]


def test_a_consistent_product_has_no_difference():
    product = np.full((1, 60, 60), (0.3 - 0.01) / 0.8, dtype=np.float32)
    found = apart(product, flat_scene(0.3))
    assert found["pixels"] == 18 * 18  # the outer ones may reach beyond the block
    assert found["bias"] == pytest.approx(0, abs=1e-6)
    assert found["rmse"] == pytest.approx(0, abs=1e-6)


def test_detail_that_averages_out_is_no_difference():
    product = np.full((1, 60, 60), (0.3 - 0.01) / 0.8, dtype=np.float32)
    product[:, ::3, ::3] += 0.16
    product[:, 1::3, 1::3] -= 0.16
    assert apart(product, flat_scene(0.3))["rmse"] == pytest.approx(0, abs=1e-6)


def test_bias_and_spread_by_hand():
    product = np.full((1, 60, 60), (0.3 - 0.01) / 0.8, dtype=np.float32)
    product += 0.02  # bias 0.8 * 0.02
    product[:, :, 30:] += 0.05  # on the right half 0.8 * 0.05 more
    found = apart(product, flat_scene(0.3))
    assert found["bias"] == pytest.approx(0.016 + 0.02, abs=1e-6)
    assert found["rmse"] == pytest.approx(np.sqrt((0.016**2 + 0.056**2) / 2), abs=1e-6)


def test_one_missing_product_pixel_leaves_its_scene_pixel_out():
    product = np.full((1, 60, 60), 0.5, dtype=np.float32)
    product[:, 30, 30] = np.nan
    product[:, 30, 31] = 9.0  # in the same scene pixel, so it must not count
    found = apart(product, flat_scene(0.41))
    assert found["pixels"] == 18 * 18 - 1
    assert found["rmse"] == pytest.approx(0, abs=1e-6)


def test_a_missing_scene_pixel_is_not_compared():
    scene_pixels = np.full((20, 20), 0.41)
    scene_pixels[5, 5] = np.nan
    found = apart(np.full((1, 60, 60), 0.5, dtype=np.float32), flat_scene(scene_pixels))
    assert found["pixels"] == 18 * 18 - 1


def test_a_change_of_bands_that_mixes_them_is_undone():
    rng = np.random.default_rng(5)
    seen = rng.uniform(0.05, 0.5, (6, 4, 5))
    change = step("sentinel-2a")
    assert change.matrix[0][1] != 0  # blue is made of blue and green
    counts = np.rint(change.apply(seen) * 10000).astype(np.int16)
    counts[2, 1, 3] = -9999
    sheet = sheets.reflectance(change.roles, "SR")
    for index in range(6):
        found = consistency.undone(counts, sheet, index, change.inverse())[0]
        assert np.isnan(found[1, 3])
        found[1, 3] = seen[index, 1, 3]
        assert np.abs(found - seen[index]).max() < 1.5e-4  # counts of 0.0001


def lattice():
    grid = GeoBox((600, 600), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    return grid, checks.cut(grid, TileSettings(window=128, part=256))


def seam_of(image):
    grid, cut = lattice()
    seams = checks.Seams()
    for rows, columns in cut.windows:
        at = checks._wider((rows, columns), grid)
        seams.add(image[(slice(None), *at)], at, cut)
    return seams.result()


def test_the_lattice_is_that_of_the_computation():
    _, cut = lattice()
    assert cut.window_rows == {128, 256, 384, 512}
    assert cut.part_columns == {256, 512}
    assert len(cut.windows) == 25


def test_no_seam_is_one_and_a_seam_is_seen():
    rng = np.random.default_rng(3)
    image = rng.normal(0.2, 0.01, (2, 600, 600)).astype(np.float32)
    clean = seam_of(image)
    assert clean["windows"] == pytest.approx(1, abs=0.02)
    assert clean["parts"] == pytest.approx(1, abs=0.02)
    stepped = image.copy()
    stepped[:, :, 128:256] += 0.02
    assert seam_of(stepped)["windows"] > 1.2
    at_parts = image.copy()
    at_parts[:, 256:512] += 0.03
    found = seam_of(at_parts)
    assert found["parts"] > 1.5
    assert found["parts"] > found["windows"] > 1.05


def test_an_edge_between_borders_is_no_seam():
    rng = np.random.default_rng(3)
    image = rng.normal(0.2, 0.01, (1, 600, 600)).astype(np.float32)
    image[:, :, 192:] += 0.3
    assert seam_of(image)["windows"] == pytest.approx(1, abs=0.03)


def test_nodata_at_a_border_does_not_count():
    rng = np.random.default_rng(3)
    image = rng.normal(0.2, 0.01, (1, 600, 600)).astype(np.float32)
    image[:, :, :256] = np.nan
    assert seam_of(image)["windows"] == pytest.approx(1, abs=0.03)


def test_a_product_without_borders_has_no_figure():
    assert checks.Seams().result()["windows"] is None


def test_large_products_are_sampled_always_alike():
    windows = [(slice(i, i + 1), slice(0, 1)) for i in range(500)]
    chosen = checks.sample(windows)
    assert chosen == checks.sample(windows)
    assert len({rows.start for rows, _ in chosen}) == checks.SAMPLE
    starts = [rows.start for rows, _ in chosen]
    assert starts == sorted(starts)
    assert min(starts) < 100 < 400 < max(starts)


def test_figures_of_the_product(product):
    numbers = json.loads((product / "report.json").read_text())
    assert numbers["sample"] == {"windows": 24, "of": 42}
    for band in numbers["consistency"]["bands"].values():
        assert band["pixels"] > 20_000
        assert abs(band["bias"]) < 2e-4
        assert 0 < band["rmse"] < 0.02
    assert 0.9 < numbers["seams"]["windows"] < 1.05
