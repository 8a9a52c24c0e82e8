"""38-Cloud and 95-Cloud: folders, codes, reflectance without metadata, whole-scene labels."""

import math

import numpy as np
import pytest

from nndacss.datasets.cloud38 import DATASET
from nndacss.datasets.wrs2 import acquisition, sun
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from tests.datasets.examples import CLOUD38_SCENE, cloud38, cloud38_test, write_tif
from tests.readers import recipes

FIRST = f"patch_1_1_by_1_{CLOUD38_SCENE}"
CLOUD, OTHER = of(Climate.CLOUD), of(Climate.CLEAR, Climate.SHADOW, Climate.SNOW)


@pytest.fixture
def patches(tmp_path):
    return DATASET(**cloud38(tmp_path))


def test_cloud_or_anything_else_and_no_label_on_fill(patches):
    sets = patches.load(FIRST).sets
    assert (sets[:-1, :4] == CLOUD).all()
    assert (sets[:-1, 4:] == OTHER).all()
    assert (sets[-1] == 0).all()


def test_reflectance_with_the_sun_of_path_row_and_day(patches):
    sample = patches.load(FIRST)
    assert sample.roles == ("blue", "green", "red", "nir08")
    # the real metadata of this scene state 58.9968 degrees
    assert sample.sun[0] == pytest.approx(58.9968, abs=0.3)
    counts = np.array([12001, 11001, 10001, 13001])  # red, green, blue, nir were 10, 11, 12, 13
    expected = (counts * 2e-5 - 0.1) / math.sin(math.radians(58.9968))
    np.testing.assert_allclose(sample.pixels[:, 0, 0], expected, rtol=0.005)
    assert np.isnan(sample.pixels[:, -1]).all()


def test_reflectance_with_the_sun_of_the_metadata(tmp_path):
    options = cloud38(tmp_path / "archive")
    scene = recipes.Recipe(collection="1", date="2013-07-07", sun=(30.0, 147.0))
    (tmp_path / f"{CLOUD38_SCENE}_MTL.txt").write_text(recipes._text(scene.groups()))
    sample = DATASET(**options, metadata=tmp_path).load(FIRST)
    assert sample.sun == (30.0, 147.0)
    np.testing.assert_allclose(sample.pixels[2, 0, 0], (10001 * 2e-5 - 0.1) / 0.5, rtol=1e-5)


def test_a_patch_in_two_folders_counts_once(tmp_path):
    cloud38(tmp_path)
    extra = "95-cloud_training_only_additional_to38-cloud"
    cloud38(tmp_path, extra, "_additional_to38cloud")
    dataset = DATASET(folder=tmp_path)
    assert dataset.names() == (FIRST, f"patch_2_1_by_2_{CLOUD38_SCENE}")
    assert {dataset.scene(name) for name in dataset.names()} == {"landsat-8 195025 2013-07-07"}
    assert DATASET(folder=tmp_path, split_by="path_row").scene(FIRST) == "landsat-8 195025"


@pytest.mark.parametrize(
    ("none", "other", "cloud"), [(None, 0, 1), (None, 0, 255), (0, 1, 2)], ids=str
)
def test_labels_of_a_whole_test_scene_lie_where_they_were_cut(tmp_path, none, other, cloud):
    # 13 x 18 pixels were padded to 16 x 24: one row and three columns before the first
    truth = np.full((13, 18), other, dtype=np.uint8)
    truth[0, 0] = truth[8, 6] = truth[12, 17] = cloud
    if none is not None:
        truth[:, 9] = none
    dataset = DATASET(**cloud38_test(tmp_path, truth))
    whole = np.zeros((16, 24), dtype=np.uint16)
    for name in dataset.names():
        row, column = (int(name.split("_")[at]) - 1 for at in (2, 4))
        place = np.s_[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        whole[place] = dataset.load(name).sets
    expected = np.zeros((16, 24), dtype=np.uint16)
    table = {other: OTHER, cloud: CLOUD, none: 0}
    expected[1:14, 3:21] = np.vectorize(table.get)(truth)
    np.testing.assert_array_equal(whole, expected)


def test_one_bit_labels_of_a_whole_scene(tmp_path):
    truth = np.zeros((16, 16), dtype=np.uint8)
    truth[3, 5] = 1
    dataset = DATASET(**cloud38_test(tmp_path, truth, nbits=1))
    assert np.argwhere(dataset.load(FIRST).sets == CLOUD).tolist() == [[3, 5]]


# bad input


def test_missing_archive(tmp_path):
    with pytest.raises(DatasetError, match=r"no such folder.*38-Cloud"):
        DATASET(folder=tmp_path / "nowhere").names()
    with pytest.raises(DatasetError, match=r"found no train_red; expected patches"):
        DATASET(folder=tmp_path).names()


@pytest.mark.parametrize(("band", "found"), [("nir", "no nir_patch"), ("gt", "no label of patch")])
def test_missing_band_or_label_is_found_when_planning(patches, band, found):
    (file,) = patches.folder.rglob(f"{band}_{FIRST}.TIF")
    file.unlink()
    with pytest.raises(DatasetError, match=found):
        patches.fingerprint()


def test_label_of_another_size(patches):
    (file,) = patches.folder.rglob(f"gt_{FIRST}.TIF")
    write_tif(file, np.zeros((1, 8, 7), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"gt_patch.*found 8 x 7 pixels; expected 8 x 8"):
        patches.load(FIRST)


def test_unknown_code(patches):
    (file,) = patches.folder.rglob(f"gt_{FIRST}.TIF")
    write_tif(file, np.full((1, 8, 8), 128, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"gt_patch.*label codes \[128\]"):
        patches.load(FIRST)


def test_rescaled_counts(patches):
    for file in patches.folder.rglob(f"*_{FIRST}.TIF"):
        if not file.name.startswith("gt"):
            write_tif(file, np.full((1, 8, 8), 90, dtype=np.uint16))
    with pytest.raises(DatasetError, match=r"found a median of 90; expected Landsat-8 Level-1"):
        patches.load(FIRST)


def test_bands_of_other_kinds(patches):
    (file,) = patches.folder.rglob(f"nir_{FIRST}.TIF")
    write_tif(file, np.full((1, 8, 8), 0.5, dtype=np.float32))
    with pytest.raises(DatasetError, match=r"float32; expected four bands of one size, uint16"):
        patches.load(FIRST)


def test_a_test_scene_whose_patches_are_not_all_there(tmp_path):
    dataset = DATASET(**cloud38_test(tmp_path, np.zeros((13, 18), dtype=np.uint8)))
    for file in dataset.folder.rglob("*_by_3_*"):
        file.unlink()
    with pytest.raises(DatasetError, match=r"found 2 patches of 8 for 18 pixels"):
        dataset.load(FIRST)


def test_metadata_of_another_scene(tmp_path):
    options = cloud38(tmp_path / "archive")
    scene = recipes.Recipe(collection="1", date="2013-07-08")
    (tmp_path / f"{CLOUD38_SCENE}_MTL.txt").write_text(recipes._text(scene.groups()))
    with pytest.raises(DatasetError, match=r"found metadata of landsat-8 195025 2013-07-08"):
        DATASET(**options, metadata=tmp_path).load(FIRST)


# the sun without metadata

#: Scene -> elevation, azimuth (None: not known here) that real metadata state.
STATED = {
    "LC08_L1TP_005009_20150710": (40.0016, None),
    "LC08_L1TP_008059_20191201": (57.0873, None),
    "LC08_L1TP_195025_20130707": (58.9968, None),
    "LC08_L1TP_017051_20151205": (48.2445, 147.741),
    "LC08_L1TP_227074_20190809": (42.6171, 42.768),
    "LC08_L1TP_218074_20190114": (59.9220, 97.814),
    "LC08_L1TP_218074_20190130": (58.4735, 90.984),
    "LC08_L1TP_232056_20151004": (64.6512, 113.118),
    "LC08_L1TP_231062_20230723": (53.3940, 49.940),
}


@pytest.mark.parametrize("name", STATED)
def test_sun_of_real_scenes(name):
    elevation, azimuth = sun(acquisition(f"{name}_20200101_01_T1", name))
    assert elevation == pytest.approx(STATED[name][0], abs=0.3)
    if STATED[name][1] is not None:
        assert azimuth == pytest.approx(STATED[name][1], abs=0.5)
