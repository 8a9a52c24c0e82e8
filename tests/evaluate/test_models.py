"""Models behind one call: averaging, bands, ukis-csmask's codes, our own weights."""

from dataclasses import replace

import numpy as np
import pytest

from nndacss.errors import SettingsError
from nndacss.evaluate.baselines import UkisCsmask, missing
from nndacss.evaluate.models import Network, Unsuited, at_metres, known_bands, open_model, seen
from nndacss.evaluate.settings import TestData
from nndacss.labels.climate import SCHEME
from nndacss.models.mask_model import load_mask_model
from tests.evaluate.plain import CLEAR, CLOUD, sample
from tests.models.small import save_small

ENTRY = TestData(kind="plain")
needs_ukis = pytest.mark.skipif(bool(missing("ukis_csmask")), reason="ukis-csmask is not installed")


def test_finer_images_are_averaged_and_labels_come_back():
    pixels = np.arange(12, dtype=np.float32).reshape(1, 2, 6)
    pixels[0, 0, 0] = np.nan
    seen_by_model = []

    def predict(small, metres):
        seen_by_model.append((small.copy(), metres))
        return (small[0] > 7).astype(np.uint8)

    labels = at_metres(pixels, 10.0, 30.0, predict)
    # columns 0-2: 1, 2, 6, 7, 8 (0 is missing); columns 3-5: 3, 4, 5, 9, 10, 11
    assert seen_by_model[0][0][0, 0].tolist() == pytest.approx([24 / 5, 7.0])
    assert seen_by_model[0][1] == 30.0
    assert labels.tolist() == [[0] * 6, [0] * 6]
    assert at_metres(pixels, 10.0, 0.0, predict).tolist() == [[0] * 6, [0, 0, 1, 1, 1, 1]]
    assert at_metres(pixels, 30.0, 30.0, predict).shape == (2, 6)
    assert at_metres(pixels[:, :, :5], 10.0, 20.0, predict).shape == (2, 5)


def test_bands_that_a_model_gets():
    known = ("blue", "green", "red", "nir08")
    image = sample("a", [0, 1], roles=("red", "nir", "coastal"))
    assert known_bands(image, known, nir_as_nir08=True)[0] == ("red", "nir")
    assert known_bands(image, known, nir_as_nir08=False)[0] == ("red",)
    both = sample("a", [0, 1], roles=("nir08", "nir"))
    assert known_bands(both, known, nir_as_nir08=True)[0] == ("nir08",)


def test_thermal_and_cirrus_do_not_decide_what_is_scored():
    image = sample("a", [0, 1, 3], roles=("red", "cirrus"))
    image.pixels[1, 0, 0] = np.nan
    image.pixels[0, 0, 1] = np.nan
    assert seen(image).tolist() == [[True, False, True]]


def test_our_weights_give_what_the_python_door_gives(tmp_path):
    card = save_small(tmp_path)
    image = sample("a", np.random.default_rng(0).integers(0, 4, (64, 64)))
    expected = load_mask_model(card)(image.pixels, image.roles, 30.0).labels
    model = open_model({"kind": "weights"}, {"weights": str(card)}, None, threads=1)
    assert (model(image, ENTRY) == expected).all()
    assert model.facts["classes"] == list(SCHEME.classes)
    visible = sample("a", np.zeros((64, 64), int), roles=("blue", "green", "red"))
    with pytest.raises(Unsuited, match="needs near infrared"):
        model(visible, ENTRY)
    assert model(visible, TestData(kind="plain", visible_only=True)).shape == (64, 64)
    with pytest.raises(Unsuited, match="at most 60 m"):
        model(sample("a", [0, 1], metres=500.0), ENTRY)


def test_an_unknown_kind_is_an_error():
    with pytest.raises(SettingsError, match="'magic'"):
        open_model({"kind": "magic"}, {}, None)
    assert Network.__call__.__doc__


@needs_ukis
def test_ukis_csmask_says_cloud_where_its_package_says_1(shared_data):
    from ukis_csmask.mask import CSmask

    from nndacss.datasets.biome_chips import BiomeChips

    chips = BiomeChips(folder=shared_data("landsat8-biome-chips"))
    image = chips.load(next(n for n in chips.names() if (chips.load(n).sets == 2).mean() > 0.05))
    four = [image.roles.index(role) for role in ("blue", "green", "red", "nir08")]
    half = replace(
        image,
        pixels=np.ascontiguousarray(image.pixels[four][:, 40:140, 100:200]),
        roles=("blue", "green", "red", "nir08"),
        sets=image.sets[40:140, 100:200],
    )
    half.pixels[:, :, :9] = np.nan
    labels = UkisCsmask(threads=1)(half, ENTRY)
    bands = np.nan_to_num(np.moveaxis(half.pixels, 0, 2))
    codes = CSmask(np.ascontiguousarray(bands), ["blue", "green", "red", "nir"]).csm[..., 0]
    assert {0, 1, 2} == set(np.unique(codes))
    assert (labels[:, :9] == 255).all()
    for theirs, ours in ((0, CLEAR), (1, CLOUD), (2, 1)):
        assert ((codes == theirs)[:, 9:] == (labels == ours)[:, 9:]).all()


@needs_ukis
def test_ukis_csmask_needs_near_infrared():
    image = sample("a", np.zeros((64, 64), int), roles=("blue", "green", "red"))
    with pytest.raises(Unsuited, match="needs near infrared"):
        UkisCsmask()(image, ENTRY)


def test_a_missing_package_is_told_with_its_command(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert missing("ukis_csmask") == "pip install 'ukis-csmask[cpu]==1.0.0'"
    with pytest.raises(SettingsError, match="not installed"):
        UkisCsmask()
