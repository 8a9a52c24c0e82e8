"""The published cloud networks as weights of a mask: bands, standing in, two classes, scenes."""

import numpy as np
import pytest

from nndacss.chain import plan
from nndacss.errors import InputError, WeightsError
from nndacss.mask import network
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import mask_card
from nndacss.models.card import load_card
from nndacss.models.harmonizer_card import HarmonizerCard
from nndacss.models.mask_model import load_mask_model
from nndacss.settings import load_settings
from tests.models import keras_files

pytestmark = pytest.mark.usefixtures("one_thread")
RGBI = ("blue", "green", "red", "nir")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Small networks of both kinds: number of bands -> file and arrays."""
    folder = tmp_path_factory.mktemp("keras")
    made = {}
    for bands in (4, 6):
        layers = keras_files.cloud_arrays(bands=bands, scale=2.5)
        made[bands] = keras_files.save(folder / f"net{bands}.hdf5", layers), layers
    return made


def test_labels_of_an_image(files):
    path, layers = files[4]
    pixels = np.random.default_rng(4).uniform(0, 1, (4, 40, 60)).astype(np.float32)
    pixels[1, 3, 5:9] = np.nan
    logits = keras_files.clouds(layers, np.moveaxis(np.nan_to_num(pixels), 0, 2))
    # every band is needed, and one that is missing makes all of them so only for the label
    result = load_mask_model(path, "cpu", threads=2)(pixels, roles=RGBI, metres=30)
    missing = np.isnan(pixels).any(axis=0)
    assert (result.labels[missing] == 255).all()
    sure = ~missing & (np.abs(logits) > 0.01)
    assert np.array_equal(result.labels[sure] == 3, logits[sure] > 0)
    assert set(np.unique(result.labels[~missing])) == {0, 3}
    assert (result.probability[1:3][:, ~missing] == 0).all()
    expected = 1 / (1 + np.exp(-logits))
    # kept in half precision
    np.testing.assert_allclose(result.probability[3][~missing], expected[~missing], atol=6e-4)


def test_tiles_leave_what_the_whole_image_gives(files):
    path, layers = files[4]
    pixels = np.random.default_rng(5).uniform(0, 1, (4, 448, 260)).astype(np.float32)
    found = load_mask_model(path, "cpu", threads=2)(pixels, roles=RGBI, metres=30)
    logits = keras_files.clouds(layers, np.moveaxis(pixels, 0, 2))
    np.testing.assert_allclose(found.probability[3], 1 / (1 + np.exp(-logits)), atol=6e-4)


def test_the_narrow_infrared_stands_in(files):
    model = load_mask_model(files[4][0], "cpu", threads=1)
    pixels = np.random.default_rng(6).uniform(0, 1, (4, 16, 16)).astype(np.float32)
    broad = model(pixels, roles=RGBI)
    narrow = model(pixels, roles=(*RGBI[:3], "nir08"))
    assert np.array_equal(broad.probability, narrow.probability)
    with pytest.raises(InputError, match="found swir16"):
        model(np.concatenate([pixels, pixels[:1]]), roles=(*RGBI, "swir16"))
    with pytest.raises(InputError, match="no nir among blue, green, red"):
        model(pixels[:3], roles=RGBI[:3])


def test_the_card_tells_its_limits_and_its_file(files):
    card = mask_card(str(files[6][0]))
    assert card.roles == (*RGBI, "swir16", "swir22")
    assert "Knows cloud only" in card.notes[0]
    assert card.sha256 != mask_card(str(files[4][0])).sha256


def test_other_files_are_refused(files, tmp_path):
    probav = keras_files.save(tmp_path / "pv.hdf5", keras_files.cloud_arrays())
    with pytest.raises(WeightsError, match=r"pv\.hdf5: .*without scaling.*that for Proba-V"):
        mask_card(str(probav))
    generator = keras_files.save(tmp_path / "g.hdf5", keras_files.generator_arrays())
    with pytest.raises(WeightsError, match="another network"):
        mask_card(str(generator))
    with pytest.raises(WeightsError, match="no such file"):
        mask_card(str(tmp_path / "none.hdf5"))
    with pytest.raises(WeightsError, match="expected weights of a harmonizer"):
        load_card(files[4][0], HarmonizerCard)


@pytest.mark.parametrize("bands", [4, 6])
def test_a_landsat_scene(files, scene, pair, bands):
    """Its own top-of-atmosphere pixels go in, `nir08` for `nir`; the recipe names the weights."""
    path, layers = files[bands]
    chosen = MaskSettings(method="network", weights=str(path), device="cpu")
    grid = scene.level_1.grid("red")
    result = network.mask(scene, grid, chosen)
    roles = ("blue", "green", "red", "nir08", "swir16", "swir22")[:bands]
    pixels = scene.level_1.read(roles, grid).pixels
    missing = np.isnan(pixels).any(axis=0)
    filled = np.moveaxis(np.nan_to_num(pixels), 0, 2)
    lack = [(0, -size % 4) for size in missing.shape]
    logits = keras_files.clouds(layers, np.pad(filled, (*lack, (0, 0))))
    logits = logits[: missing.shape[0], : missing.shape[1]]
    # below, the last tile counts, which ends with the scene and so starts at row 74, pooling others
    inside = np.s_[:96]
    assert (result.labels[missing] == 255).all()
    sure = ~missing[inside] & (np.abs(logits[inside]) > 0.02)
    assert sure.mean() > 0.5
    agree = (result.labels[inside] == 3) == (logits[inside] > 0)
    assert agree[sure].mean() > 0.999
    changes = ["mask.method=network", f"mask.weights={path}"]
    order = plan(pair.l2, pair.l1, load_settings(None, changes)).orders["mask"]
    assert order.recipe.weights == mask_card(str(path)).sha256
