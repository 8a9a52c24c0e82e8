"""L8 Biome scenes: tiles, what clear means, ENVI masks, bad files."""

import numpy as np
import pytest
import rasterio

from nndacss.datasets.biome import DATASET
from nndacss.datasets.biome_scenes import ARCHIVES, SCENES
from nndacss.datasets.envi import envi
from nndacss.errors import DatasetError
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from nndacss.readers.layered import LayeredScene
from tests.datasets.examples import biome_scene, write_envi

SCENE = "LC81950252013188LGN00"
CLEAR, SHADOW, SNOW, CLOUD = Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD


@pytest.fixture
def scenes(tmp_path):
    return DATASET(**biome_scene(tmp_path))


@pytest.fixture
def mask(scenes):
    (path,) = scenes.folder.rglob("*_fixedmask.img")
    return path


def put_together(dataset, shape):
    """All tiles in place, and how often a pixel was labelled."""
    pixels = np.full((len(dataset.roles), *shape), np.nan, dtype=np.float32)
    sets, times = np.zeros(shape, np.uint16), np.zeros(shape, int)
    for name in dataset.names():
        sample = dataset.load(name)
        row, column = (int(number) for number in name.split("_")[1:])
        place = np.s_[row : row + sample.sets.shape[0], column : column + sample.sets.shape[1]]
        pixels[:, *place] = sample.pixels
        sets[place] |= sample.sets
        times[place] += sample.sets != 0
    return pixels, sets, times


def test_tiles_cover_the_scene_and_label_every_pixel_once(scenes, mask):
    assert scenes.names() == tuple(
        f"{SCENE}_{row:06d}_{column:06d}" for row in (0, 26) for column in (0, 36)
    )
    _, sets, times = put_together(scenes, (90, 100))
    clear = of(CLEAR, SNOW)  # shadow was drawn in this scene
    expected = np.full((90, 100), clear)
    expected[:4], expected[10:20], expected[30:40] = 0, of(CLOUD), of(CLOUD)
    expected[80:, 90:] = of(SHADOW)
    np.testing.assert_array_equal(sets, expected)
    assert times.max() == 1


def test_pixels_are_the_bands_own(scenes):
    pixels, _, _ = put_together(scenes, (90, 100))
    with rasterio.open(scenes.folder / "BC" / SCENE / f"{SCENE}_B4.TIF") as raster:
        counts = raster.read(1).astype(float)
    # gain 2e-5, offset -0.1, sun at 30 degrees, whose sine is 0.5
    red = pixels[scenes.roles.index("red")]
    np.testing.assert_allclose(red, (counts * 2e-5 - 0.1) / 0.5, atol=1e-5)


def test_a_tile_far_from_the_shadow_knows_that_it_was_drawn(tmp_path):
    codes = np.full((90, 100), 128, dtype=np.uint8)
    plain = DATASET(**biome_scene(tmp_path / "plain", codes))
    assert set(np.unique(plain.load(plain.names()[0]).sets)) == {of(CLEAR, SHADOW, SNOW)}
    codes[-1, -1] = 64
    drawn = DATASET(**biome_scene(tmp_path / "drawn", codes))
    assert set(np.unique(drawn.load(drawn.names()[0]).sets)) == {of(CLEAR, SNOW)}


def test_a_tile_without_labels_is_not_read(tmp_path, monkeypatch):
    codes = np.zeros((90, 200), dtype=np.uint8)
    codes[:, 150:] = 128
    dataset = DATASET(**biome_scene(tmp_path, codes))
    read = []
    monkeypatch.setattr(LayeredScene, "read", lambda *_: read.append(1))
    empty = dataset.load(f"{SCENE}_000000_000000")
    assert np.isnan(empty.pixels).all()
    assert not empty.sets.any()
    assert not read


def test_scenes_and_splits(tmp_path):
    biome_scene(tmp_path)
    biome_scene(tmp_path, date="2014-07-10")
    both = DATASET(folder=tmp_path, split_by="path_row")
    assert len({name[:21] for name in both.names()}) == 2
    assert {both.scene(name) for name in both.names()} == {"landsat-8 195025"}
    one = DATASET(folder=tmp_path, scenes=(SCENE,))
    assert {one.scene(name) for name in one.names()} == {"landsat-8 195025 2013-07-07"}
    with pytest.raises(DatasetError, match=r"no LC80010112014080LGN00_fixedmask.img"):
        DATASET(folder=tmp_path, scenes=("LC80010112014080LGN00",)).names()


def test_all_scenes_of_the_archive_are_listed_once():
    assert {len(ids) for ids in SCENES.values()} == {12}
    assert len({archive.address for archive in ARCHIVES}) == 96


# bad input


def test_missing_archive(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere: found no such folder"):
        DATASET(folder=tmp_path / "nowhere").names()


def test_mask_of_another_size_is_found_when_planning(scenes, mask):
    write_envi(mask, np.full((89, 100), 128, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"fixedmask.img: found 89 x 100 pixels; expected 90 x"):
        scenes.fingerprint()


def test_truncated_mask_is_found_when_planning(scenes, mask):
    mask.write_bytes(mask.read_bytes()[:-1])
    with pytest.raises(DatasetError, match=r"found 8999 bytes; expected 9000, for the 90 lines"):
        scenes.fingerprint()


def test_mask_without_header(scenes, mask):
    mask.with_suffix(".hdr").unlink()
    with pytest.raises(DatasetError, match=r"fixedmask.img: found no header beside it"):
        scenes.names()


def test_mask_of_other_numbers(scenes, mask):
    header = mask.with_suffix(".hdr")
    header.write_text(header.read_text().replace("data type = 1", "data type = 4"))
    with pytest.raises(DatasetError, match=r"fixedmask.hdr: found data type 4, 1 bands"):
        scenes.names()


def test_unknown_code(scenes, mask):
    codes = np.array(envi(mask).pixels())
    codes[50, 50] = 100
    write_envi(mask, codes)
    with pytest.raises(DatasetError, match=r"fixedmask.img: found label codes \[100\]"):
        scenes.load(scenes.names()[0])


def test_image_without_metadata_is_found_when_planning(scenes, mask):
    (mask.parent / f"{SCENE}_MTL.txt").unlink()
    with pytest.raises(DatasetError, match=r"no metadata file"):
        scenes.fingerprint()


def test_pan_has_other_pixels(scenes):
    with pytest.raises(DatasetError, match=r"no pan; expected coastal, blue"):
        DATASET(folder=scenes.folder, roles=("red", "pan")).load(scenes.names()[0])


def test_edited_mask_of_the_same_size_is_another_archive(scenes, mask):
    before = scenes.fingerprint()
    codes = np.array(envi(mask).pixels())
    codes[50, 50] = 255
    write_envi(mask, codes)
    assert scenes.fingerprint() != before


def test_gdal_reads_the_same_mask(mask):
    with rasterio.open(mask) as raster:
        np.testing.assert_array_equal(raster.read(1), envi(mask).pixels())
