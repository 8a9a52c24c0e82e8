"""Painting in training: what it does to recipes, and that it hangs on epoch and position alone."""

import numpy as np
import pytest
import torch

from nndacss.errors import DatasetError, SettingsError
from nndacss.identity import Order, Recipe, load_order
from nndacss.samples.store import SampleStore
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.data import SampleData
from nndacss.train.paint import Painting, checked_sum
from nndacss.train.plan import train_order
from nndacss.train.settings import TrainSettings
from nndacss.train.stage import settings_of
from tests.inpaint.banks import make_bank
from tests.train.stores import make_store

SAMPLES = Order(Recipe("samples", 1, {}, {"twin": "00"}), "small")
BASE = {"batch": 4, "crop": 32, "monitor": 0.2, "workers": 0, "cross_validated": ()}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paint")
    return make_store(folder / "samples.h5", side=64), make_bank(folder)


def painting(bank, **more):
    """Settings with painting, the sum of the bank among them as the plan would fill it in."""
    paint = {"chance": 1.0, "bank": str(bank), "bank_sha256": checked_sum(bank, ""), **more}
    return TrainSettings(**BASE, paint=paint)


def planned(bank, **more):
    paint = {"chance": 0.5, "bank": str(bank), **more}
    return train_order(SAMPLES, {"train": TrainSettings(paint=paint)}, "net")


def test_a_recipe_knows_the_bank_and_not_its_place(files, tmp_path):
    _, bank = files
    order, copy = planned(bank), tmp_path / "other.h5"
    copy.write_bytes(bank.read_bytes())
    assert planned(copy).recipe.digest == order.recipe.digest
    paint = order.recipe.settings["train"]["paint"]
    assert paint == {"chance": 0.5, "bank_sha256": checked_sum(bank, "")}
    assert order.location["bank"] == str(bank)
    other = make_bank(tmp_path, count=2)
    assert planned(other).recipe.digest != order.recipe.digest
    assert planned(bank, cover=(0.1, 0.2)).recipe.digest != order.recipe.digest


def test_without_painting_a_recipe_is_what_it_was(files):
    plain = train_order(SAMPLES, {"train": TrainSettings()}, "net")
    assert "paint" not in plain.recipe.settings.get("train", {})
    assert planned(files[1], chance=0.0, cover=(0.1, 0.2)).recipe.digest == plain.recipe.digest


def test_the_fit_finds_the_bank_again(files, tmp_path):
    order = load_order(planned(files[1]).save(tmp_path))
    context = Context(order, tmp_path, tmp_path, 1)
    settings = settings_of(context)
    assert settings.paint.bank == str(files[1])
    assert settings.paint.chance == 0.5
    # what a card tells of the settings names no place
    assert str(files[1].parent) not in str(settings.changed())
    assert restore({"train": settings.changed()}, "train").paint.bank == ""


def test_batches_are_painted_the_same_by_any_worker(files):
    store, bank = files
    settings = painting(bank, chance=0.5)
    batches = [
        list(SampleData(store, settings.model_copy(update={"workers": n})).train_dataloader())
        for n in (0, 2)
    ]
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one["pixels"].nan_to_num(-9), other["pixels"].nan_to_num(-9))
        assert torch.equal(one["sets"], other["sets"])


def test_painting_changes_nothing_else_that_is_drawn(files):
    store, bank = files
    plain = SampleData(store, TrainSettings(**BASE)).varied()
    unlucky = SampleData(store, painting(bank, chance=1e-9)).varied()
    elsewhere = SampleData(store, painting(bank, datasets=("twin",))).varied()
    everywhere = SampleData(store, painting(bank)).varied()
    records = SampleStore(store).records
    painted = 0
    for index, record in enumerate(records):
        items = [data[(0, 7, index)] for data in (plain, unlucky, elsewhere, everywhere)]
        assert torch.equal(items[0]["pixels"].isnan(), items[3]["pixels"].isnan())
        assert torch.equal(items[0]["sets"], items[1]["sets"])
        assert torch.equal(items[2]["sets"], items[0 if record.dataset != "twin" else 3]["sets"])
        painted += not torch.equal(items[0]["sets"], items[3]["sets"])
    assert painted > len(records) / 2


def test_a_sample_is_painted_by_its_own_sun_level_and_pixel(files):
    store, bank = SampleStore(files[0]), files[1]
    pixels, sets = store.read(0)
    paint = Painting(store, painting(bank))
    found = paint(pixels, sets, store.records[0], 3, 5)
    record = store.records[0]
    calls = []

    class Spy:
        def paint_batch(self, patches, rngs):
            calls.extend(patches)
            return patches

    paint._painter = Spy()
    paint(pixels, sets, record, 3, 5)
    (patch,) = calls
    found_in = (patch.roles, patch.metres, patch.sun, patch.level)
    assert found_in == (store.roles, record.metres, record.sun, record.level)
    again = Painting(store, painting(bank))(pixels, sets, record, 3, 5)
    np.testing.assert_array_equal(found[0], again[0])


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"bank": ""}, SettingsError, "chance = 0.5 without a bank"),
        ({"bank": "nowhere.h5"}, DatasetError, r"nowhere\.h5: found no such file"),
        ({"bank_sha256": "0" * 64}, DatasetError, "sha256 000000000000"),
    ],
)
def test_banks_that_cannot_be_planned_with(files, changes, kind, message):
    with pytest.raises(kind, match=message):
        planned(**{"bank": files[1], **changes})


def test_stores_that_cannot_be_painted(files, tmp_path):
    store, bank = files
    with pytest.raises(SettingsError, match=r"no data set 'sparcs'.*train\.paint\.datasets"):
        SampleData(store, painting(bank, datasets=("sparcs",))).varied()
    changed = tmp_path / "bank.h5"
    changed.write_bytes(bank.read_bytes())
    settings = painting(changed)
    make_bank(tmp_path, count=2)
    with pytest.raises(DatasetError, match=r"bank\.h5: found [0-9a-f]{12}"):
        SampleData(store, settings).varied()


@pytest.mark.parametrize(
    "changes",
    [{"cover": (0.5, 0.1)}, {"cover": (0.5, 1.5)}, {"elevation": (1, 80)}, {"low": (0, 9)}],
)
def test_settings_out_of_range(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        TrainSettings(paint=changes)
