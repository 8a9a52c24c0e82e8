"""Cloudless parts of scenes: where they lie, how they are labelled, what must not pass."""

import numpy as np
import pytest
import rasterio
from pydantic import ValidationError

from nndacss.datasets.cloudless_scenes import DATASET
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from nndacss.simulate.landsat import write_landsat
from nndacss.simulate.sentinel2 import write_sentinel2

WINDOW = (20, 120, 30, 100)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scene"), seed=5, rows=150, columns=170)


def scenes(path, window=WINDOW, **options):
    return DATASET(folder=path.parent, windows={path.name: window}, **options)


def test_tiles_are_the_scene_s_own_pixels_and_labelled_once(pair):
    with rasterio.open(pair.l1 / f"{pair.l1.name}_B4.TIF") as raster:
        counts = raster.read(1)
    dataset = scenes(pair.l1, tile=64, roles=("red",))
    times = np.zeros(counts.shape, int)
    assert len(dataset.names()) == 4
    for name in dataset.names():
        row, column = (int(number) for number in name.split("_")[-2:])
        sample = dataset.load(name)
        place = np.s_[row : row + sample.sets.shape[0], column : column + sample.sets.shape[1]]
        # USGS, Landsat 8-9 Collection 2 Level 1 Data Format Control Book
        sine = np.sin(np.radians(sample.sun[0]))
        expected = np.where(counts[place] == 0, np.nan, (counts[place] * 2e-5 - 0.1) / sine)
        np.testing.assert_allclose(sample.pixels[0], expected, atol=1e-6)
        times[place] += sample.sets != 0
    inside = np.zeros_like(times)
    inside[20:120, 30:100] = 1
    np.testing.assert_array_equal(times, np.where(counts == 0, 0, inside))


@pytest.mark.parametrize(
    ("maybe_snow", "label"),
    [(False, of(Climate.CLEAR)), (True, of(Climate.CLEAR, Climate.SNOW))],
)
def test_label(pair, maybe_snow, label):
    dataset = scenes(pair.l1, maybe_snow=maybe_snow)
    (name,) = dataset.names()
    sample = dataset.load(name)
    seen = ~np.isnan(sample.pixels).any(axis=0)
    assert seen.any()
    np.testing.assert_array_equal(sample.sets, np.where(seen, label, 0))


def test_sentinel2_comes_at_its_coarsest_pixels(tmp_path):
    product = write_sentinel2(tmp_path, seed=3, rows=120, columns=120).l1c
    dataset = scenes(product, (5, 45, 0, 60))
    (name,) = dataset.names()
    sample = dataset.load(name)
    assert (sample.metres, sample.sets.shape) == (20.0, (40, 60))
    assert sample.sensor == "sentinel2_msi"


@pytest.mark.parametrize("window", [(20, 20, 0, 10), (-1, 5, 0, 10), (0, 5, 10, 3)])
def test_a_window_must_hold_pixels(pair, window):
    with pytest.raises(ValidationError, match=pair.l1.name):
        scenes(pair.l1, window)


def test_a_window_beyond_the_scene_names_its_size(pair):
    dataset = scenes(pair.l1, (0, 151, 0, 10))
    with pytest.raises(DatasetError, match=r"up to row 151.*inside its 150 x 170 pixels"):
        dataset.load(dataset.names()[0])


def test_a_missing_band_and_a_missing_product_are_named(pair):
    dataset = scenes(pair.l1, roles=("red", "nir"))
    with pytest.raises(DatasetError, match="no band nir"):
        dataset.load(dataset.names()[0])
    with pytest.raises(DatasetError, match=r"nowhere: found nothing"):
        scenes(pair.l1.parent / "nowhere").fingerprint()
