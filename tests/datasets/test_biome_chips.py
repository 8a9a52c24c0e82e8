"""Biome chips: codes to sets, and the real archive."""

import numpy as np
import pytest
import rasterio

from nndacss.datasets.biome_chips import DATASET
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from tests.datasets.examples import biome, write_tif

CLEAR, SHADOW, SNOW, CLOUD = Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD


@pytest.fixture
def chips(tmp_path):
    return DATASET(**biome(tmp_path))


def test_clear_depends_on_whether_shadow_was_marked(chips):
    marked = chips.load("Forest_05_0415").sets
    assert marked.tolist() == [[of(SHADOW), of(CLEAR, SNOW)], [of(CLOUD), of(CLOUD)]]
    unmarked = chips.load("Water_01_0922").sets
    assert unmarked.tolist() == [[of(CLEAR, SHADOW, SNOW)] * 2, [of(CLOUD), 0]]


def test_bands_by_role(tmp_path):
    options = biome(tmp_path)
    sample = DATASET(**options, roles=("cirrus", "red")).load("Forest_05_0415")
    np.testing.assert_allclose(sample.pixels[:, 0, 0], [0.01, 0.3], rtol=1e-6)
    np.testing.assert_allclose(sample.pixels[:, 1, 1], [0.011, 0.301], rtol=1e-6)


def test_scene_is_the_name_without_its_place_in_the_scene(chips):
    assert chips.scene("Forest_05_0415") == "biome-Forest_05"


def test_edited_mask_of_the_same_size_is_another_archive(chips):
    before = chips.fingerprint()
    (mask,) = chips.folder.glob("*/Water*_mask.tif")
    size = mask.stat().st_size
    write_tif(mask, np.array([[[192, 128], [192, 0]]], dtype=np.uint8))
    assert mask.stat().st_size == size
    assert chips.fingerprint() != before


def test_missing_folder(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere/train: found no such folder"):
        DATASET(folder=tmp_path / "nowhere").names()


def test_missing_mask(chips):
    (mask,) = chips.folder.glob("*/Water*_mask.tif")
    mask.unlink()
    with pytest.raises(DatasetError, match=r"no mask beside it; expected Water_01_0922_mask"):
        chips.fingerprint()


def test_mask_of_another_size(chips):
    (mask,) = chips.folder.glob("*/Water*_mask.tif")
    write_tif(mask, np.full((1, 3, 3), 128, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"image and label must be of one size"):
        chips.load("Water_01_0922")


def test_unknown_code(chips):
    (mask,) = chips.folder.glob("*/Water*_mask.tif")
    write_tif(mask, np.array([[[1, 128], [192, 0]]], dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"Water_01_0922_mask.tif: found label codes \[1\]"):
        chips.load("Water_01_0922")


def test_truncated_image(chips):
    (image,) = chips.folder.glob("*/Water*_image.tif")
    image.write_bytes(image.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"Water_01_0922_image.tif: found"):
        chips.load("Water_01_0922")


def test_real_chips(shared_data):
    folder = shared_data("landsat8-biome-chips")
    chips = DATASET(folder=folder)
    found = chips.names()
    assert len(found) == 31
    assert len({chips.scene(name) for name in found}) == 31
    # counted in the mask itself, which has shadow marked
    sample = chips.load("Forest_00_1008")
    with rasterio.open(folder / "val" / "Forest_00_1008_mask.tif") as raster:
        codes = raster.read(1)
    with rasterio.open(folder / "val" / "Forest_00_1008_image.tif") as raster:
        nir = raster.read(4)
    assert (sample.sets == of(SHADOW)).sum() == (codes == 64).sum() == 12041
    assert (sample.sets == of(CLOUD)).sum() == 228 + 12107
    assert (sample.sets == of(CLEAR, SNOW)).sum() == 41160
    np.testing.assert_array_equal(sample.pixels[sample.roles.index("nir08")], nir)


def test_a_chip_without_cloud_can_be_taken_as_unshaded(tmp_path):
    masks = {
        "train/Water_02_0000": np.array([[128, 0]], dtype=np.uint8),
        "train/Urban_03_0000": np.array([[128, 192]], dtype=np.uint8),
    }
    options = biome(tmp_path, masks)
    (tmp_path / "val").mkdir(exist_ok=True)
    usual = DATASET(**options, splits=("train",))
    strict = DATASET(**options, splits=("train",), cloudless_unshaded=True)
    assert usual.load("Water_02_0000").sets.tolist() == [[of(CLEAR, SHADOW, SNOW), 0]]
    assert strict.load("Water_02_0000").sets.tolist() == [[of(CLEAR, SNOW), 0]]
    assert strict.load("Urban_03_0000").sets.tolist() == [[of(CLEAR, SHADOW, SNOW), of(CLOUD)]]
