"""A training from a file of pairs to four weights with cards: pictures, losses, exact resume."""

import json

import h5py
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nndacss.cyclegan.data import PairBatches, Turned
from nndacss.cyclegan.dataset import Pairs, find_dataset, fingerprint
from nndacss.cyclegan.fit import fit
from nndacss.cyclegan.learner import GENERATORS, build
from nndacss.cyclegan.plan import cyclegan_order
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.cyclegan.stage import train_cyclegan
from nndacss.errors import DatasetError, WeightsError
from nndacss.models.card import load_weights
from nndacss.models.cyclegan import Generator
from nndacss.models.probav_card import GeneratorCard, choose
from nndacss.models.probav_networks import generator
from tests.cyclegan.patches import pairs_file
from tests.stages import begun

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = CycleGANSettings(
    epochs=3,
    batch_size=3,
    df_gen=2,
    df_disc=2,
    device="cpu",
    segmentation_consistency_lmbda=0.0,
)


def quiet(fraction, message):
    pass


def trained(path, folder, settings=TINY, **more):
    folder.mkdir(exist_ok=True)
    return fit(path, settings, None, folder, quiet, **more)


def state(result):
    return {name: value.clone() for name, value in result.learner.state_dict().items()}


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_stopped_and_resumed_gives_the_same_weights(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5", count=10)
    whole = state(trained(path, tmp_path / "whole"))
    stopped = state(trained(path, tmp_path / "parts", stop_after=1))
    resumed = trained(path, tmp_path / "parts")
    assert not same(whole, stopped)
    assert same(whole, state(resumed))
    assert [entry["epoch"] for entry in resumed.history] == [0, 1, 2]


def test_another_seed_gives_other_weights_and_workers_do_not(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5", count=10)
    settings = TINY.model_copy(update={"epochs": 1})
    first = state(trained(path, tmp_path / "a", settings))
    worked = settings.model_copy(update={"workers": 2})
    assert same(first, state(trained(path, tmp_path / "b", worked)))
    other = settings.model_copy(update={"seed": 124})
    assert not same(first, state(trained(path, tmp_path / "c", other)))


def test_losses_and_pictures_are_in_tensorboard(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5", count=10)
    result = trained(path, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "logs"), size_guidance={"images": 0})
    events.Reload()
    assert len(events.Images("translations")) == 3
    names = set(events.Tags()["scalars"])
    for name in ("gen_pvl8_loss", "gen_l8pv_total_loss", "identity_loss_pvl8", "gp_pv_loss"):
        assert {f"train/{name}_step", f"train/{name}_epoch"} <= names
    logged = events.Scalars("train/disc_l8_loss_epoch")[-1].value
    assert result.history[-1]["train/disc_l8_loss"] == pytest.approx(logged, rel=1e-5)


def test_pairs_take_turns_in_whole_batches(tmp_path):
    data = PairBatches(pairs_file(tmp_path / "pairs.h5", count=10), TINY)
    assert data.steps == 3
    drawn = [index for epoch in range(10) for index in data.draws.epoch(epoch)]
    assert np.bincount(drawn).tolist() == [9] * 10
    assert data.draws.epoch(0) != data.draws.epoch(1)


def test_both_images_of_a_pair_are_turned_alike(tmp_path):
    place = np.arange(16 * 16 * 4, dtype=np.float32).reshape(1, 16, 16, 4)
    path = pairs_file(tmp_path / "pairs.h5", PV=place, LU=place + 5)
    turned = Turned(Pairs(path), seed=0)
    seen = set()
    for position in range(40):
        item = turned[0, position, 0]
        torch.testing.assert_close(item["lu"] - item["pv"], torch.full((4, 16, 16), 5.0))
        seen.add(float(item["pv"][0, 0, 0]) + 1e-4 * float(item["pv"][0, 0, 1]))
    assert len(seen) == 8


def order_for(tmp_path, path, settings=TINY):
    return cyclegan_order(settings, path, "cycle_2_2")


def test_the_stage_exports_four_networks_that_load(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5", count=10)
    order = order_for(tmp_path, path)
    context = begun(order, tmp_path / "work")
    summary = train_cyclegan(context)
    assert set(summary["weights"]) == {"genpv2l8", "genl82pv", "discl8", "discpv"}
    chosen = choose(context.folder / "genpv2l8.json", GeneratorCard)
    assert (chosen.name, chosen.sha256) == ("genpv2l8cycle_2_2", summary["sha256"]["genpv2l8"])
    network = generator(chosen)
    assert isinstance(network, Generator)
    assert network.filters == 2
    card, tensors = load_weights(context.folder / "genl82pv.json", GeneratorCard)
    assert (card.source, card.target) == ("landsat8_oli", "probav")
    assert card.training["recipe"] == order.recipe.digest
    assert card.training["pairs"] == 10
    assert set(tensors) == set(network.state_dict())
    with pytest.raises(WeightsError, match="takes images of landsat8_oli"):
        choose(context.folder / "genl82pv.json", GeneratorCard)
    again = begun(order, tmp_path / "again")
    assert train_cyclegan(again)["sha256"] == summary["sha256"]


def test_the_recipe_knows_content_not_place(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5")
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "simultaneous_landsatbiomeaspv_64_32.hdf5"
    copy.write_bytes(path.read_bytes())
    first, second = order_for(tmp_path, path), order_for(tmp_path, copy.parent)
    assert first.recipe.digest == second.recipe.digest
    assert second.location["dataset"] == str(copy.resolve())
    moved = TINY.model_copy(update={"workers": 3, "device": "auto"})
    assert order_for(tmp_path, path, moved).recipe.digest == first.recipe.digest
    for change in ({"lr": 2e-4}, {"normtype": "no"}, {"seed": 1}):
        other = TINY.model_copy(update=change)
        assert order_for(tmp_path, path, other).recipe.digest != first.recipe.digest
    with h5py.File(path, "r+") as file:
        file["PV"][3, 5, 5, 1] = 0.123
    assert fingerprint(path) != first.recipe.inputs["dataset"]
    context = begun(first, tmp_path / "work")
    with pytest.raises(DatasetError, match="another file than when the recipe was made"):
        train_cyclegan(context)


def test_clouds_enter_the_recipe_only_where_they_have_a_weight(tmp_path):
    path = pairs_file(tmp_path / "pairs.h5")
    assert set(order_for(tmp_path, path).recipe.inputs) == {"dataset"}
    weighed = TINY.model_copy(update={"segmentation_consistency_lmbda": 1.0})
    absent = weighed.model_copy(update={"weights_cloud_detection": "no/such.hdf5"})
    with pytest.raises(WeightsError, match=r"no/such.hdf5: found no such file"):
        order_for(tmp_path, path, absent)


def test_published_clouds_judge_the_translations(tmp_path, shared_data):
    weights = shared_data("weights") / "cloud_detection_l8.hdf5"
    change = {
        "segmentation_consistency_lmbda": 1.0,
        "weights_cloud_detection": str(weights),
        "epochs": 1,
    }
    path = pairs_file(tmp_path / "pairs.h5")
    context = begun(order_for(tmp_path, path, TINY.model_copy(update=change)), tmp_path / "work")
    assert "train/consistency_loss_pvl8" in train_cyclegan(context)["losses"]
    card = json.loads((context.folder / "genpv2l8.json").read_text())
    assert set(card["training"]["inputs"]) == {"dataset", "cloud_detection"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"LU": None}, "what is not such a file"),
        ({"LU": np.zeros((9, 16, 16, 4), np.float32)}, r"LU \(9, 16, 16, 4\)"),
        ({"PV": np.zeros((10, 16, 16, 3)), "LU": np.zeros((10, 16, 16, 3))}, r"\(10, 16, 16, 3\)"),
        ({"PV": np.zeros((10, 20, 20, 4)), "LU": np.zeros((10, 20, 20, 4))}, "multiple of 16"),
        ({"PV": np.zeros((10, 16, 16, 4), int)}, "float"),
    ],
)
def test_a_file_that_is_none_says_so(tmp_path, changed, message):
    path = pairs_file(tmp_path / "pairs.h5", **changed)
    with pytest.raises(DatasetError, match=message):
        Pairs(path)


def test_bad_places_and_values(tmp_path):
    with pytest.raises(DatasetError, match=r"found none of them; expected a folder with"):
        find_dataset(tmp_path)
    text = tmp_path / "pairs.h5"
    text.write_text("no HDF5")
    with pytest.raises(DatasetError, match="what is not such a file"):
        Pairs(text)
    images = np.full((10, 16, 16, 4), 0.1, np.float32)
    images[4, 2, 2, 2] = np.nan
    path = pairs_file(tmp_path / "nan.h5", LU=images)
    with pytest.raises(DatasetError, match="LU of pair 4 with values that are no numbers"):
        Pairs(path).read(4)
    few = pairs_file(tmp_path / "few.h5", count=2)
    with pytest.raises(DatasetError, match=r"found 2 pairs; expected a batch of 3"):
        PairBatches(few, TINY)


def test_generators_may_start_as_nearly_the_identity():
    settings = CycleGANSettings(df_gen=8)
    images = torch.rand(2, 4, 16, 16)
    for name in GENERATORS:
        chance, near = (
            build(settings.model_copy(update={"identity_start": start}))[name].eval()(images)
            for start in (False, True)
        )
        assert abs(chance - images).mean() > 0.1
        assert 0 < abs(near - images).max() < 0.05
