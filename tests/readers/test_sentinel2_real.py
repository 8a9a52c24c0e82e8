"""The real JPEG 2000 bands of one Level-1C granule, in a product folder made around them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import rasterio

import nndacss
from nndacss.errors import LossWarning
from nndacss.readers.layers import Handles
from nndacss.sensors import REFLECTIVE
from tests.readers.safe_recipes import BANDS, METRES, Recipe


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The metadata that the granule of 26 July 2015 has, as far as they are read."""
    return Recipe(
        baseline="02.04",
        date="20150726T105026",
        tile="31TDH",
        size=300,
        corner=(399960.0, 4693200.0),
        epsg=32631,
        without=BANDS,
    )


@pytest.fixture
def scene(recipe, shared_data, tmp_path):
    folder = shared_data("sentinel2-l1c-jp2")
    safe = recipe.write(tmp_path)
    for band in BANDS:
        image = recipe.image(band, METRES[band], recipe.tile)
        link = safe / "GRANULE" / recipe.granule(recipe.tile) / f"{image}.jp2"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder / f"T31TDH_20150726T105026_{band}.jp2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return nndacss.open_scene(safe)


def test_every_band_as_rasterio_reads_it(scene, shared_data) -> None:
    folder = shared_data("sentinel2-l1c-jp2")
    assert len(scene.roles) == 13
    for role in scene.roles:
        band = scene.sensor.band(role)
        with rasterio.open(folder / f"T31TDH_20150726T105026_{band.name}.jp2") as file:
            numbers, transform = file.read(1), file.transform
        own = scene.read([role])
        assert own.grid.affine == transform
        assert own.grid.affine.a == band.metres
        np.testing.assert_allclose(own.pixels[0], numbers / 10000, atol=2e-7)


def test_on_the_10_m_grid(scene) -> None:
    scene.verify()
    grid = scene.grid("red")
    found = scene.read(REFLECTIVE, grid)
    assert found.valid.all()
    own = scene.read(["nir08"]).pixels[0]
    blocks = found.band("nir08").reshape(150, 2, 150, 2).mean((1, 3))
    inner = np.s_[3:-3, 3:-3]
    # four 10 m pixels around a 20 m centre: cubic convolution keeps their mean to its curvature
    assert np.abs(blocks - own)[inner].mean() < 0.004
    assert np.corrcoef(blocks[inner].ravel(), own[inner].ravel())[0, 1] > 0.99
    # land in July: the bands follow each other as vegetation and soil do
    median = {role: float(np.median(found.band(role))) for role in REFLECTIVE}
    assert 0.05 < median["blue"] < 0.2
    assert median["nir08"] > 1.5 * median["red"]


def test_jpeg_2000_is_read_by_its_own_driver_alone(scene, tmp_path) -> None:
    """A file of another format is not opened, whatever its name says."""
    fake = tmp_path / "T31TDH_B04.jp2"
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="uint16"
    ):
        pass
    (tmp_path / "a.tif").rename(fake)
    with pytest.raises(Exception, match="expected a whole JPEG 2000 file"):
        Handles().get(str(fake), fake.name)
