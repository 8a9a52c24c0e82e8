"""CloudSEN12: both forms, codes, padding, offsets, bad files."""

import numpy as np
import pytest

from nndacss.datasets.cloudsen12 import ARCHIVES, DATASET
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from tests.datasets.examples import (
    CLOUDSEN12_CHIPS,
    cloudsen12,
    cloudsen12_tiffs,
    write_tif,
)

NAMES = tuple(f"{place}__{product}" for place, product, _ in CLOUDSEN12_CHIPS)
CLEAR, SHADOW, CLOUD = of(Climate.CLEAR, Climate.SNOW), of(Climate.SHADOW), of(Climate.CLOUD)
EVERY = ("blue", "green", "red", "nir", "nir08", "swir16", "swir22")


@pytest.fixture
def arrays(tmp_path):
    return DATASET(**cloudsen12(tmp_path))


def test_codes_of_the_arrays(arrays):
    sets = arrays.load(NAMES[0]).sets
    # 0, 1 thick, 2 thin, 3 shadow, 99 and 255 nothing; the chip starts a pixel inside its zeros
    assert sets[1, 1:8].tolist() == [CLEAR, CLOUD, CLOUD, SHADOW, 0, 0, CLEAR]
    assert (sets[[0, 510, 511]] == 0).all()
    assert (sets[:, [0, 510, 511]] == 0).all()


def test_each_chip_has_its_own_pixels(arrays):
    for index, name in enumerate(NAMES):
        sample = arrays.load(name)
        blue, swir22 = sample.pixels[[0, 5], 300, 300]
        assert blue == pytest.approx((1000 * (index + 1)) / 10000)
        assert swir22 == pytest.approx((1000 * (index + 1) + 6) / 10000)
        assert np.isnan(sample.pixels[:, 0]).all()
        assert sample.sun == (44.7780643248, 50.0524479398)
        assert (sample.sensor, sample.level, sample.metres) == ("sentinel2_msi", "TOA", 10.0)


def test_geotiffs_hold_the_same(tmp_path, arrays):
    tiffs = DATASET(**cloudsen12_tiffs(tmp_path / "tiffs"), roles=EVERY)
    every = DATASET(folder=arrays.folder, roles=EVERY)
    assert tiffs.names() == every.names() == NAMES
    for name in NAMES:
        one, other = tiffs.load(name), every.load(name)
        np.testing.assert_array_equal(one.pixels, other.pixels[:, 1:510, 1:510])
        np.testing.assert_array_equal(one.sets, other.sets[1:510, 1:510])


def test_all_dates_of_a_place_are_one_scene(arrays):
    assert [arrays.scene(name) for name in NAMES] == ["cloudsen12-ROI_0001"] * 2 + [
        "cloudsen12-ROI_0013"
    ]


def test_edited_label_is_another_archive(arrays):
    before = arrays.fingerprint()
    label = arrays.folder / "test" / "LABEL_manual_hq.dat"
    content = bytearray(label.read_bytes())
    content[5000] = 1
    label.write_bytes(content)
    assert arrays.fingerprint() != before


def test_stated_sizes_are_those_of_975_chips():
    sizes = {archive.name: archive.size for archive in ARCHIVES}
    assert sizes["test/L1C_B2.dat"] == 511180800  # as the page of the archive states
    assert sizes["test/LABEL_manual_hq.dat"] == 255590400


# bad input


def test_missing_archive(tmp_path):
    with pytest.raises(DatasetError, match=r"no test/metadata.csv and no cloudsen12_metadata.csv"):
        DATASET(folder=tmp_path).names()


def test_missing_band_is_found_when_planning(arrays):
    (arrays.folder / "test" / "L1C_B8A.dat").unlink()
    with pytest.raises(DatasetError, match=r"L1C_B8A.dat: found no such file; expected 1572864"):
        arrays.fingerprint()


def test_truncated_label_is_found_when_planning(arrays):
    label = arrays.folder / "test" / "LABEL_manual_hq.dat"
    label.write_bytes(label.read_bytes()[:-1])
    with pytest.raises(DatasetError, match=r"found 786431 bytes; expected 786432 bytes: 3 chips"):
        arrays.fingerprint()


def test_unknown_code(arrays):
    label = arrays.folder / "test" / "LABEL_manual_hq.dat"
    content = bytearray(label.read_bytes())
    content[512 * 300 + 300] = 4
    label.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"{NAMES[0]}: found label codes \[4\]"):
        arrays.load(NAMES[0])


def test_band_of_zeros(arrays):
    band = arrays.folder / "test" / "L1C_B8A.dat"
    band.write_bytes(bytes(band.stat().st_size))
    with pytest.raises(DatasetError, match=r"found only zeros in B8A; expected counts; fetch"):
        arrays.load(NAMES[0])


def test_counts_with_an_offset_are_not_taken(tmp_path):
    dataset = DATASET(**cloudsen12(tmp_path, baseline="N0400"))
    with pytest.raises(DatasetError, match=r"found baseline 0400; expected one below N0400"):
        dataset.load(NAMES[0])


def test_table_of_something_else(arrays):
    (arrays.folder / "test" / "metadata.csv").write_text("name\na\n")
    with pytest.raises(DatasetError, match=r"metadata.csv: found no column roi_id"):
        arrays.names()


def test_image_without_label(tmp_path):
    dataset = DATASET(**cloudsen12_tiffs(tmp_path))
    place, product, _ = CLOUDSEN12_CHIPS[1]
    (tmp_path / "high" / place / product / "labels" / "manual_hq.tif").unlink()
    with pytest.raises(DatasetError, match=r"labels/manual_hq.tif: found no such file"):
        dataset.fingerprint()


def test_label_of_another_size(tmp_path):
    dataset = DATASET(**cloudsen12_tiffs(tmp_path))
    place, product, _ = CLOUDSEN12_CHIPS[1]
    label = tmp_path / "high" / place / product / "labels" / "manual_hq.tif"
    write_tif(label, np.zeros((1, 508, 509), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"found 508 x 509 pixels; expected 509 x 509"):
        dataset.load(NAMES[1])
