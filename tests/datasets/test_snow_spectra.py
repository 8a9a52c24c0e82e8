"""Images of real spectra: which point lies where, and what it is called."""

import numpy as np
import pytest

from nndacss.datasets.snow_spectra import DATASET, TABLES
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from tests.datasets.examples import SURFACES, snow_spectra

SETS = {
    1: of(Climate.SNOW),
    2: of(Climate.SHADOW, Climate.SNOW),
    3: of(Climate.SNOW),
    4: of(Climate.CLEAR),
    5: of(Climate.CLEAR),
}


@pytest.mark.parametrize("product", TABLES)
def test_every_pixel_is_a_point_of_the_class_it_is_called(tmp_path, product):
    dataset = DATASET(**snow_spectra(tmp_path))
    seen = set()
    for number in range(4):
        sample = dataset.load(f"Gulkana_20210610_{product}_{number:03d}")
        # thousandths of a point's place, above its surface's own value
        value = sample.pixels[0].astype(float)
        for code, base in SURFACES.items():
            here = (value > base - 1e-4) & (value < base + 0.0295)
            assert set(np.unique(sample.sets[here])) <= {SETS[code]}
            place = (value[here] - base) * 1000
            np.testing.assert_allclose(place, place.round(), atol=1e-3)
            seen |= {code} if here.any() else set()
        assert (np.ptp(sample.pixels, axis=0) < 1e-5).all()
        assert (sample.sensor, sample.level) == (TABLES[product].sensor, TABLES[product].level)
    assert seen == set(SURFACES)


def test_a_surface_of_few_points_is_left_out(tmp_path):
    dataset = DATASET(**snow_spectra(tmp_path))
    for number in range(4):
        assert dataset.load(f"Sperry_20210610_msi-sr_{number:03d}").pixels.min() > 0.19


def test_sites_keep_places_apart(tmp_path):
    options = snow_spectra(tmp_path)
    dataset = DATASET(**options, sites=("Sperry",), count=2)
    assert len(dataset.names()) == 6
    assert {dataset.scene(name) for name in dataset.names()} == {"spectra-Sperry-20210610"}
    one, two = (dataset.load(name).pixels for name in dataset.names()[:2])
    assert not np.array_equal(one, two)
    other = DATASET(**options, sites=("Sperry",), seed=1).load(dataset.names()[0])
    assert not np.array_equal(one, other.pixels)


def test_a_table_of_other_columns_is_named(tmp_path):
    options = snow_spectra(tmp_path)
    table = tmp_path / TABLES["msi-toa"].file
    table.write_text(table.read_text().replace("B8A", "B08"))
    with pytest.raises(DatasetError, match=r"Sentinel-2_TOA.*KeyError: 'B8A'; expected a table"):
        DATASET(**options).names()


def test_real_points(shared_data):
    dataset = DATASET(folder=shared_data("spectra"), count=1)
    assert len(dataset.names()) == 23
    pixels = dataset.load("Gulkana_20210610_landsat-sr_000").pixels
    # snow is bright in the visible and dark in the short-wave infrared
    snow = dataset.load("Gulkana_20210610_landsat-sr_000").sets == of(Climate.SNOW)
    assert np.median(pixels[2][snow]) > 0.7 > 0.1 > np.median(pixels[4][snow])
