"""Sharpening: gains by hand, detail where it belongs, 30 m means kept."""

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.harmonize.pan import LIMIT, NOISE, gains, sharpen
from nndacss.raster import Raster
from nndacss.tile.warp import source_window, warp

MS = GeoBox((60, 60), Affine(30, 0, 300_015, 0, -30, 5_000_025), "EPSG:32632")
PAN = GeoBox((119, 119), Affine(15, 0, 300_022.5, 0, -15, 5_000_017.5), "EPSG:32632")
TEN = GeoBox((60, 60), Affine(10, 0, 300_600, 0, -10, 4_999_500), "EPSG:32632")


class Painted:
    """A scene whose bands are functions of the map coordinates; only what `sharpen` asks."""

    def __init__(self, bands, hole=None):
        self.planes = {"pan": PAN}
        self.pixels = {"pan": self._paint(bands["pan"], PAN)}
        for role in bands.keys() - {"pan"}:
            self.planes[role] = MS
            self.pixels[role] = self._paint(bands[role], MS)
        if hole:
            self.pixels["pan"][hole] = np.nan

    @staticmethod
    def _paint(function, grid):
        """Area means by 15 x 15 samples a pixel."""
        fine = GeoBox(
            (grid.shape[0] * 15, grid.shape[1] * 15),
            grid.affine @ Affine.scale(1 / 15),
            grid.crs,
        )
        column, row = np.meshgrid(np.arange(fine.shape[1]) + 0.5, np.arange(fine.shape[0]) + 0.5)
        x, y = fine.affine @ (column, row)
        values = function(x, y).reshape(grid.shape[0], 15, grid.shape[1], 15)
        return values.mean(axis=(1, 3)).astype(np.float32)

    def grid(self, role):
        return self.planes[role]

    def read(self, roles, grid, kernel="cubic"):
        planes = self.planes[roles[0]]
        rows, columns = source_window(planes, grid)
        stack = np.stack([self.pixels[role][rows, columns] for role in roles])
        return Raster(warp(stack, planes[rows, columns], grid, kernel), grid, tuple(roles))


def waves(x, y):
    """Fields of about 40 m: 15 m pixels show them, 30 m pixels halve their contrast."""
    return 0.2 + 0.08 * np.sin(2 * np.pi * x / 75) * np.cos(2 * np.pi * y / 90)


def truth(function):
    return Painted._paint(function, TEN)


def test_pan_brings_detail_to_bands_that_follow_it():
    scene = Painted({"pan": waves, "green": lambda x, y: 0.8 * waves(x, y) + 0.01})
    sharp, where = sharpen(scene, ["green"], TEN)
    plain = scene.read(["green"], TEN).pixels
    wanted = 0.8 * truth(waves) + 0.01
    assert where.all()
    error, before = (np.sqrt(np.mean((image[0] - wanted) ** 2)) for image in (sharp, plain))
    assert error < 0.5 * before


def test_a_band_against_pan_gets_the_opposite_detail():
    scene = Painted({"pan": waves, "nir08": lambda x, y: 0.5 - waves(x, y)})
    sharp, _ = sharpen(scene, ["nir08"], TEN)
    plain = scene.read(["nir08"], TEN).pixels
    wanted = 0.5 - truth(waves)
    error, before = (np.sqrt(np.mean((image[0] - wanted) ** 2)) for image in (sharp, plain))
    assert error < 0.5 * before


def test_a_flat_band_stays_flat():
    scene = Painted({"pan": waves, "swir16": lambda x, y: np.full_like(x, 0.2)})
    sharp, _ = sharpen(scene, ["swir16"], TEN)
    assert np.abs(sharp - 0.2).max() < 1e-6


def test_means_at_thirty_metres_are_kept():
    scene = Painted({"pan": waves, "green": waves})
    sharp, _ = sharpen(scene, ["green"], TEN)
    inner = GeoBox((10, 10), Affine(30, 0, 300_735, 0, -30, 4_999_395), "EPSG:32632")
    back = warp(sharp, TEN, inner, "average")[0]
    rows, columns = source_window(MS, inner, 0)
    measured = scene.pixels["green"][rows, columns]
    assert abs((back - measured).mean()) < 0.002
    assert np.sqrt(np.mean((back - measured) ** 2)) < 0.02


def test_without_pan_the_plain_bands_remain():
    hole = (slice(30, 70), slice(30, 70))
    scene = Painted({"pan": waves, "green": waves}, hole=hole)
    sharp, where = sharpen(scene, ["green"], TEN)
    plain = scene.read(["green"], TEN).pixels
    assert 0 < where.mean() < 1
    assert np.array_equal(sharp[0][~where], plain[0][~where])
    assert not np.isnan(sharp).any()


def test_gain_is_the_slope_of_least_squares():
    rng = np.random.default_rng(3)
    pan = rng.uniform(0.1, 0.4, (40, 40)).astype(np.float32)
    band = (0.5 * pan + rng.normal(0, 0.01, pan.shape)).astype(np.float32)
    result = gains(band[None], pan)[0, 20, 20]
    x, y = (image[17:24, 17:24].ravel().astype(float) for image in (pan, band))
    expected = np.cov(x, y, bias=True)[0, 1] / (x.var() + NOISE)
    assert result == pytest.approx(expected, rel=1e-3)
    assert np.abs(gains((9 * pan)[None], pan)).max() <= LIMIT
