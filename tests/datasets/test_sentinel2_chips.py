"""Sentinel-2 chips: three families, each with codes of its own."""

import numpy as np
import pytest

from nndacss.datasets.sentinel2_chips import DATASET
from nndacss.errors import DatasetError
from tests.datasets.examples import sentinel2

CLEAR, SHADOW, SNOW, CLOUD = 1, 2, 4, 8


@pytest.fixture
def chips(tmp_path):
    return DATASET(**sentinel2(tmp_path))


def test_drawn_labels_are_preferred_to_scribbles(chips):
    sample = chips.load("cloudsen12_ROI_0001_cloudy")
    clear = CLEAR | SNOW
    assert sample.sets.tolist() == [[clear, CLOUD, CLOUD, SHADOW], [clear] * 4]
    assert (sample.level, sample.metres, sample.sun) == ("TOA", 10.0, None)
    assert sample.roles == ("blue", "green", "red")


def test_scribbles(chips):
    sample = chips.load("cloudsen12_ROI_0002_mid-cloudy")
    assert sample.sets.tolist() == [[CLEAR | SNOW, CLOUD, CLOUD, CLOUD], [CLOUD, SHADOW, SHADOW, 0]]


def test_alberta(chips):
    sample = chips.load("alberta_2020-06-15")
    # the first pixel is zero in all bands: missing, so unlabelled
    assert sample.sets.tolist() == [[0, CLOUD, SHADOW, 0], [CLEAR, CLEAR, CLEAR, SHADOW]]
    assert np.isnan(sample.pixels[:, 0, 0]).all()
    assert sample.sun == (60.0, 150.0)
    assert (sample.level, sample.metres) == ("SR", 30.0)
    assert sample.roles[-1] == "nir"


def test_oncloudn(chips):
    other = CLEAR | SHADOW | SNOW
    sample = chips.load("oncloudn_3")
    assert sample.sets.tolist() == [[0, CLOUD, CLOUD, CLOUD], [other, other, other, CLOUD]]


def test_all_dates_of_a_place_are_one_scene(chips):
    scenes = {name: chips.scene(name) for name in chips.names()}
    assert scenes == {
        "alberta_2020-06-15": "alberta",
        "alberta_2020-06-27": "alberta",
        "cloudsen12_ROI_0001_cloudy": "cloudsen12-ROI_0001",
        "cloudsen12_ROI_0002_mid-cloudy": "cloudsen12-ROI_0002",
        "oncloudn_3": "oncloudn-3",
    }


def test_one_family(chips):
    assert DATASET(folder=chips.folder, family="oncloudn").names() == ("oncloudn_3",)


def test_content_decides_the_fingerprint(chips):
    before = chips.fingerprint()
    path = chips.folder / "oncloudn_3.npz"
    arrays = dict(np.load(path))
    size = path.stat().st_size
    arrays["label"] = arrays["label"] * 0
    np.savez(path, **arrays)
    assert path.stat().st_size == size
    assert chips.fingerprint() != before


@pytest.mark.parametrize("damage", ["truncated", "no label", "other codes", "pickled"])
def test_damaged_files(chips, damage):
    path = chips.folder / "oncloudn_3.npz"
    arrays = dict(np.load(path))
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "no label":
        del arrays["label"]
        np.savez(path, **arrays)
    elif damage == "other codes":
        np.savez(path, **(arrays | {"label": arrays["label"] + 4}))
    else:
        np.savez(path, **(arrays | {"label": np.array([object()])}), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"oncloudn_3\.npz: found"):
        chips.load("oncloudn_3")


def test_real_chips(shared_data):
    folder = shared_data("sentinel2-labelled")
    chips = DATASET(folder=folder)
    assert len(chips.names()) == 18
    assert len({chips.scene(name) for name in chips.names()}) == 6
    with np.load(folder / "alberta_2020-07-05.npz") as arrays:
        shadow = arrays["human_shadow"] & (arrays["label"] != 255)
        cloud = arrays["label"] == 1
    found = chips.load("alberta_2020-07-05").sets
    np.testing.assert_array_equal(found == SHADOW, shadow)
    np.testing.assert_array_equal(found == CLOUD, cloud)
