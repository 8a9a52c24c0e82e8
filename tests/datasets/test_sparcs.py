"""SPARCS: packagings, codes, reflectance, the question of the ten bands, bad files."""

import numpy as np
import pytest
import rasterio

from nndacss.datasets.sparcs import DATASET, layout_of
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from tests.datasets.examples import (
    CORNER,
    SPARCS_NAME,
    sparcs,
    sparcs_counts,
    write_tif,
)

CLEAR, SHADOW, SNOW, CLOUD = (1 << code for code in Climate if code != Climate.NODATA)


@pytest.fixture(params=["_labels.tif", "_mask.png"])
def packed(request, tmp_path):
    return DATASET(**sparcs(tmp_path / "sending", request.param))


@pytest.fixture
def folder(tmp_path):
    sparcs(tmp_path)
    return tmp_path


def test_codes_of_both_packagings(packed):
    sets = packed.load(SPARCS_NAME).sets
    assert sets[:2, :4].tolist() == [
        [SHADOW, SHADOW, CLEAR, SNOW],
        [CLEAR, CLOUD, CLEAR, CLEAR],
    ]
    assert (sets[2:] == of(Climate.CLEAR)).all()


def test_water_is_known_in_shadow_and_out_of_it(packed):
    water = packed.load(SPARCS_NAME).strata["water"]
    assert water[:2, :4].tolist() == [[False, True, True, False], [False] * 4]
    assert water.sum() == 2


@pytest.mark.parametrize(("kept", "row"), [("land", [SHADOW, 0]), ("water", [0, SHADOW])])
def test_shadow_over_land_and_over_water_apart(folder, kept, row):
    sets = DATASET(folder=folder, shadow=kept).load(SPARCS_NAME).sets
    assert sets[0, :4].tolist() == [*row, CLEAR, SNOW]


def test_reflectance_by_the_metadata_of_the_scene(packed):
    sample = packed.load(SPARCS_NAME)
    # gain 2e-5, offset -0.1, sun at 30 degrees, whose sine is 0.5
    expected = (sparcs_counts()[1:7].astype(float) * 2e-5 - 0.1) / 0.5
    np.testing.assert_allclose(sample.pixels[:, :-1], expected[:, :-1], atol=1e-6)
    assert np.isnan(sample.pixels[:, -1, -1]).all()  # a count of 0 is fill
    assert sample.sun == (30.0, 147.0)
    assert (sample.sensor, sample.level, sample.metres) == ("landsat8_oli", "TOA", 30.0)


def test_pan_where_the_files_have_it(tmp_path):
    sparcs(tmp_path, layout="one_thermal")
    sample = DATASET(folder=tmp_path, roles=("pan", "cirrus")).load(SPARCS_NAME)
    expected = (sparcs_counts("one_thermal")[7:9].astype(float) * 2e-5 - 0.1) / 0.5
    np.testing.assert_allclose(sample.pixels[:, :-1], expected[:, :-1], atol=1e-6)


def test_cirrus_is_the_eighth_where_pan_is_absent(folder):
    sample = DATASET(folder=folder, roles=("cirrus",)).load(SPARCS_NAME)
    expected = (sparcs_counts()[7].astype(float) * 2e-5 - 0.1) / 0.5
    np.testing.assert_allclose(sample.pixels[0, :-1], expected[:-1], atol=1e-6)


def test_pan_that_is_absent_is_an_error(folder):
    with pytest.raises(
        DatasetError, match=r"_data.tif: found bands coastal.*expected pan; take pan"
    ):
        DATASET(folder=folder, roles=("pan",)).load(SPARCS_NAME)


def test_an_image_that_does_not_tell_asks_the_others(tmp_path):
    sparcs(tmp_path)
    even = "LC81950252013188LGN00_08"
    sparcs(tmp_path, name=even)
    write_tif(tmp_path / f"{even}_data.tif", np.full((10, 30, 30), 9000, dtype=np.uint16))
    assert DATASET(folder=tmp_path, roles=("cirrus",)).load(even).pixels.shape == (1, 30, 30)
    (tmp_path / f"{SPARCS_NAME}_data.tif").unlink()
    with pytest.raises(DatasetError, match=r"last two are unlike.*state `layout = \"no_pan\"`"):
        DATASET(folder=tmp_path).load(even)
    stated = DATASET(folder=tmp_path, roles=("cirrus",), layout="no_pan").load(even)
    assert stated.pixels.shape == (1, 30, 30)


def test_cirrus_that_follows_the_clouds_is_not_pan():
    # as in real chips under high cloud: correlation above 0.9, but a small slope
    counts = sparcs_counts().astype(float)
    counts[7] = 5000 + 0.18 * (counts[2] + counts[3]) / 2
    counts[8:] = np.random.default_rng(1).normal(25000, 5, (2, 30, 30))
    assert layout_of(counts.astype(np.uint16)) is None


def test_real_bands_tell_both_layouts(shared_data):
    folder = shared_data("landsat-c1-full-layout")
    bands = {}
    for number in range(1, 12):
        (path,) = folder.glob(f"LC08*_B{number}.TIF")
        with rasterio.open(path) as raster:
            bands[number] = raster.read(1)
    pan = bands[8].astype(float)
    bands[8] = pan.reshape(41, 2, 41, 2).mean(axis=(1, 3)).astype(np.uint16)
    without_pan = np.stack([bands[n] for n in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11)])
    one_thermal = np.stack([bands[n] for n in range(1, 11)])
    assert layout_of(without_pan) == "no_pan"
    assert layout_of(one_thermal) == "one_thermal"


def test_splits_by_scene_or_by_path_and_row(folder):
    assert DATASET(folder=folder).scene(SPARCS_NAME) == "landsat-8 195025 2013-07-07"
    place = DATASET(folder=folder, split_by="path_row").scene(SPARCS_NAME)
    assert place == "landsat-8 195025"


def test_edited_label_of_the_same_size_is_another_archive(folder):
    before = DATASET(folder=folder).fingerprint()
    label = folder / f"{SPARCS_NAME}_labels.tif"
    label.write_bytes(label.read_bytes()[:-1] + b"\x05")
    assert DATASET(folder=folder).fingerprint() != before


# bad input


def test_missing_archive(tmp_path):
    with pytest.raises(DatasetError, match=r"no such folder.*FetchDataset --kind sparcs"):
        DATASET(folder=tmp_path / "nowhere").fingerprint()


@pytest.mark.parametrize("end", ["_labels.tif", "_mtl.txt"])
def test_image_without_label_or_metadata_is_found_when_planning(folder, end):
    (folder / f"{SPARCS_NAME}{end}").unlink()
    with pytest.raises(DatasetError, match=rf"{SPARCS_NAME}_data.tif: found no .* beside it"):
        DATASET(folder=folder).fingerprint()


def test_both_packagings_in_one_folder(tmp_path):
    sparcs(tmp_path / "a")
    sparcs(tmp_path / "b", "_mask.png")
    with pytest.raises(DatasetError, match=r"twice, also in .*a; expected once"):
        DATASET(folder=tmp_path).names()


def test_label_of_another_size(folder):
    write_tif(folder / f"{SPARCS_NAME}_labels.tif", np.zeros((1, 29, 30), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"_labels.tif: found 29 x 30 pixels; expected 30 x 30"):
        DATASET(folder=folder).load(SPARCS_NAME)


def test_label_on_another_grid(folder):
    place = {"crs": "EPSG:32632", "transform": CORNER @ CORNER.translation(2, 0)}
    write_tif(folder / f"{SPARCS_NAME}_labels.tif", np.zeros((1, 30, 30), np.uint8), **place)
    with pytest.raises(DatasetError, match=r"at 600075, 5000025; expected EPSG:32632 at 600015"):
        DATASET(folder=folder).load(SPARCS_NAME)


def test_unknown_code(folder):
    write_tif(folder / f"{SPARCS_NAME}_labels.tif", np.full((1, 30, 30), 7, dtype=np.uint8))
    with pytest.raises(
        DatasetError, match=r"_labels.tif: found label codes \[7\]; expected codes 0"
    ):
        DATASET(folder=folder).load(SPARCS_NAME)


def test_mask_that_was_painted_in_colours(tmp_path):
    sparcs(tmp_path, "_mask.png")
    write_tif(tmp_path / f"{SPARCS_NAME}_mask.png", np.zeros((3, 30, 30), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"found 3 bands of uint8; expected one band of uint8"):
        DATASET(folder=tmp_path).load(SPARCS_NAME)


def test_image_with_other_bands(folder):
    write_tif(folder / f"{SPARCS_NAME}_data.tif", np.zeros((11, 30, 30), dtype=np.float32))
    with pytest.raises(DatasetError, match=r"found 11 bands of float32; expected ten bands"):
        DATASET(folder=folder).load(SPARCS_NAME)


def test_metadata_of_another_scene(folder):
    path = folder / f"{SPARCS_NAME}_mtl.txt"
    path.write_text(path.read_text().replace("WRS_ROW = 25", "WRS_ROW = 26"))
    with pytest.raises(DatasetError, match=r"found metadata of landsat-8 195026 2013-07-07"):
        DATASET(folder=folder).load(SPARCS_NAME)


def test_truncated_image(folder):
    image = folder / f"{SPARCS_NAME}_data.tif"
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"_data.tif: found"):
        DATASET(folder=folder).load(SPARCS_NAME)
