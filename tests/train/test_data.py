"""The data module against its store, and stores that cannot be used."""

import numpy as np
import pytest
import torch

from nndacss.errors import DatasetError, SettingsError
from nndacss.samples.store import SampleStore
from nndacss.train.data import SampleData
from nndacss.train.settings import Scaling, TrainSettings
from tests.train.stores import make_store

SETTINGS = TrainSettings(batch=4, crop=32, fold=0, monitor=0.2, workers=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("data") / "samples.h5", side=32)


def test_batches_hold_what_is_drawn(store):
    still = {
        "flip": False, "zoom_chance": 0, "drop_chance": 0, "drop_nir_chance": 0, "brightness": 0,
        "gain": 0, "offset": 0, "haze_chance": 0, "noise_chance": 0, "saturate_chance": 0,
        "wedge_chance": 0,
    }  # fmt: skip
    data = SampleData(store, TrainSettings(**{**SETTINGS.model_dump(), "augment": still}))
    batches = list(data.train_dataloader())
    assert len(batches) == data.steps == 3  # nine samples, rounded up to whole batches of four
    reader, drawn = SampleStore(store), data.draws.epoch(0)
    for place, index in enumerate(drawn):
        pixels, sets = reader.read(index)
        batch = batches[place // 4]
        np.testing.assert_array_equal(batch["pixels"][place % 4], pixels)
        np.testing.assert_array_equal(batch["sets"][place % 4], sets)
        assert data.datasets[batch["group"][place % 4]] == reader.records[index].dataset


def test_validation_shows_whole_samples_once(store):
    data = SampleData(store, SETTINGS)
    assert list(data.parts) == ["monitor", "held"]
    for loader, indices in zip(data.val_dataloader(), data.parts.values(), strict=True):
        pixels = torch.cat([batch["pixels"] for batch in loader])
        wanted = np.stack([data.store.read(index)[0] for index in indices])
        np.testing.assert_array_equal(pixels, wanted)


def test_set_pixels_count_what_an_epoch_draws(store):
    data = SampleData(store, SETTINGS)
    expected = [0] * 16
    for index in data.draws.epoch(0):
        sets = data.store.read(index)[1]
        expected = [old + int((sets == bits).sum()) for bits, old in enumerate(expected)]
    assert data.set_pixels() == expected
    assert expected[7] > 0  # the partial labels of the first data set


def test_stores_that_cannot_be_used(store, tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        SampleData(tmp_path / "none.h5", SETTINGS)
    cut = tmp_path / "samples.h5"
    cut.write_bytes(store.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"samples\.h5"):
        SampleData(cut, SETTINGS)


def test_settings_that_do_not_fit_the_store(store):
    with pytest.raises(SettingsError, match=r"side 32.*train\.crop = 64"):
        SampleData(store, SETTINGS.model_copy(update={"crop": 64}))
    scaling = Scaling(offset={"blue": 0.0}, spread={"blue": 1.0})
    with pytest.raises(SettingsError, match=r"green without scaling"):
        SampleData(store, SETTINGS.model_copy(update={"scaling": scaling}))
