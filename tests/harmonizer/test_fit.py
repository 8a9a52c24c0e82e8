"""A fit learns, resumes exactly, survives a kill, and its weights serve."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from nndacss.errors import DatasetError, SettingsError
from nndacss.harmonize.spectral import step
from nndacss.harmonizer.data import PairData
from nndacss.harmonizer.fit import calibrate, fit
from nndacss.harmonizer.plan import harmonizer_order
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.harmonizer.stage import train_harmonizer
from nndacss.identity import Order
from nndacss.models.card import load_weights
from nndacss.models.harmonizer import Harmonizer
from nndacss.models.harmonizer_card import HarmonizerCard, harmonizer_card
from nndacss.sensors import REFLECTIVE
from nndacss.train.fitting import check_checkpoint
from tests.harmonizer.stores import make_store, pair
from tests.stages import begun, finished_store

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {
    "architecture": {"width": 16, "blocks": 1},
    "epochs": 6,
    "samples_per_epoch": 32,
    "batch": 4,
    "crop": 36,
    "rate": 0.01,
    "average": 0.8,
    "monitor": 0.3,
}
STILL = {
    "flip": False, "drop_pan_chance": 0, "pan_gain": 0, "pan_offset": 0, "wedge_chance": 0,
}  # fmt: skip


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A work root with a finished pair store, and its order."""
    root = tmp_path_factory.mktemp("harmonizer")
    return root, *finished_store(root, "pairs", make_store)


@pytest.fixture(scope="session")
def whole(work, tmp_path_factory):
    """The uninterrupted fit, in this process, through the stage's body."""
    root, pairs, _ = work
    order = harmonizer_order(pairs, {"harmonizer": HarmonizerSettings(**TINY)}, "whole")
    torch.set_num_threads(1)
    context = begun(order, root)
    return context, train_harmonizer(context)


def silent(fraction, message):
    pass


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(value, second[name]) for name, value in first.items()
    )


def test_it_learns_and_its_weights_serve(whole):
    context, _ = whole
    card = context.folder / "weights.json"
    unseen = pair(np.random.default_rng(99), 48, "twin", "unseen")
    found = Harmonizer([card])(unseen.inputs[None])[0]
    plain = step("sentinel-2a").apply(unseen.inputs[:6])
    inner = np.s_[:, 6:-6, 6:-6]
    error = np.abs(found[:6] - unseen.target)[inner].mean(axis=(1, 2))
    before = np.abs(plain - unseen.target)[inner].mean(axis=(1, 2))
    assert (error < 0.9 * before).all()
    ratio = (found[:6] - unseen.target) / found[6:]
    rms = np.sqrt(np.square(ratio).mean(axis=(1, 2)))
    assert ((rms > 0.5) & (rms < 2)).all()


def test_the_card_says_what_it_was_made_of(whole):
    context, summary = whole
    card = harmonizer_card(context.folder / "weights.json")
    assert (card.family, card.deviation, card.pan, card.multiple) == (
        "detail", "predicted", "known", 6,
    )  # fmt: skip
    assert (card.reach, card.levels, card.target) == (card.built.reach, ("SR",), "sentinel-2a")
    assert card.training["recipe"] == context.order.recipe.digest
    assert card.training["pairs"] == context.order.recipe.inputs["pairs"]
    data = card.training["data"]
    assert (data["twin"]["kind"], data["twin"]["simulated"]) == ("twin", "input and target")
    assert (data["chips"]["kind"], data["chips"]["simulated"]) == ("degraded", "input")
    # five scenes each, of which round(0.3 * 5) watch
    assert (data["chips"]["scenes"], data["chips"]["pairs"]) == (3, 6)
    assert len(data["chips"]["kept_out"]["monitor"]) == 2
    assert data["chips"]["coarse_truth"] == 6
    assert {entry["data"] for entry in card.scores} == {"twin", "degraded"}
    assert summary["pairs"] == {"train": 12, "monitor": 8}
    assert any("simulated pairs" in note for note in card.notes)
    assert any("snow" in note for note in card.notes)


def test_exported_deviations_are_calibrated_on_the_monitoring_pairs(work, whole):
    context, _ = whole
    data = PairData(work[2], HarmonizerSettings(**TINY))
    network = Harmonizer([context.folder / "weights.json"])
    _, tensors = load_weights(context.folder / "weights.json", HarmonizerCard)
    assert (tensors["calibration"] != 0).all()
    squares, count = np.zeros(6), 0
    for index in data.split.monitor:
        inputs, target = data.store.read(index)
        found = network(inputs[None])[0]
        error, sigma = found[:6] - target, found[6:]
        if data.store.records[index].coarse_truth:
            error[3:], sigma[3:] = (
                values[3:].reshape(3, 24, 2, 24, 2).mean(axis=(2, 4)).repeat(2, 1).repeat(2, 2)
                for values in (error, sigma)
            )
        squares += np.square(error / sigma).sum(axis=(1, 2))
        count += error[0].size
    np.testing.assert_allclose(np.sqrt(squares / count), 1, atol=0.002)


def test_three_and_three_epochs_are_six(work, whole, tmp_path):
    """With the loader in a process of its own the second time: it changes nothing."""
    context, _ = whole
    settings = HarmonizerSettings(**TINY)
    first = fit(work[2], settings, tmp_path, silent, stop_after=3)
    assert len(first.history) == 3
    second = fit(work[2], settings.model_copy(update={"workers": 1}), tmp_path, silent)
    theirs = check_checkpoint(context.folder / "last.ckpt")
    mine = check_checkpoint(tmp_path / "last.ckpt")
    assert not same(second.learner.state_dict(), first.learner.state_dict())
    assert same(theirs["state_dict"], mine["state_dict"])
    for word in ("lr_schedulers", "callbacks"):
        assert theirs[word] == mine[word]
    assert repr(theirs["optimizer_states"]) == repr(mine["optimizer_states"])
    # killed after its last epoch, before the export: nothing left to do, and the same weights
    third = fit(work[2], settings, tmp_path, silent)
    calibrate(third)
    _, tensors = load_weights(context.folder / "weights.json", HarmonizerCard)
    assert same(dict(third.learner.result.state_dict()), tensors)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [2, 5])
def test_a_killed_child_goes_on_and_ends_with_the_same_weights(work, whole, epoch):
    root, _, _ = work
    context, summary = whole
    # another name for the same recipe: another folder
    order = Order(context.order.recipe, f"killed{epoch}", context.order.location)
    order.save(root)
    recipe = root / "recipes" / f"{order.recipe.digest}.json"
    command = [sys.executable, "-m", "nndacss.harmonizer", recipe, "--work", root]

    def start():
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, "--threads", "1"], **pipes)

    child = start()
    for line in child.stdout:
        if f"epoch {epoch} of 6" in json.loads(line)["message"]:
            child.send_signal(signal.SIGKILL)
    child.wait()
    folder = root / "harmonizer" / order.target
    assert not (folder / "stage.json").exists()
    child = start()
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    lines = [json.loads(line) for line in output.splitlines()]  # nothing but progress
    assert lines[0]["message"].startswith(f"epoch {epoch} of 6")
    assert [line["progress"] for line in lines] == sorted(line["progress"] for line in lines)
    done = json.loads((folder / "stage.json").read_text())
    assert done["summary"]["sha256"] == summary["sha256"]
    assert list((folder / "logs").glob("events.out.tfevents.*"))


def test_the_best_epoch_is_that_of_the_least_error(work, tmp_path):
    # a rate at which the second epoch is the worse one
    settings = HarmonizerSettings(**{**TINY, "keep": "best", "epochs": 3, "average": 0.0})
    fitted = fit(work[2], settings, tmp_path, silent)
    found = [entry["monitor/l1"] for entry in fitted.history]
    assert fitted.epoch == found.index(min(found))
    best = check_checkpoint(tmp_path / "best.ckpt")["state_dict"]
    assert same(best, fitted.learner.state_dict())


def test_it_goes_on_from_other_weights(work, whole, tmp_path):
    root, pairs, _ = work
    context, summary = whole
    settings = HarmonizerSettings(
        **{**TINY, "epochs": 1, "rate": 1e-12, "decay": 0.0, "average": 0.0},
        start=str(context.folder / "weights.json"),
    )
    order = harmonizer_order(pairs, {"harmonizer": settings}, "next")
    assert order.recipe.weights == summary["sha256"]
    other = begun(order, root)
    train_harmonizer(other)
    _, before = load_weights(context.folder / "weights.json", HarmonizerCard)
    _, after = load_weights(other.folder / "weights.json", HarmonizerCard)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_published_network_is_fitted_without_a_deviation(work, tmp_path):
    root, pairs, _ = work
    settings = HarmonizerSettings(
        family="deep_harmonization", crop=16, batch=2, epochs=1, samples_per_epoch=2, monitor=0.3,
    )  # fmt: skip
    order = harmonizer_order(pairs, {"harmonizer": settings}, "deep")
    context = begun(order, root)
    train_harmonizer(context)
    path = context.folder / "weights.json"
    card = harmonizer_card(path)
    assert (card.deviation, card.pan, card.multiple, card.reach) == ("ensemble", "synthetic", 16, 0)
    assert card.training["calibration"] == {}
    assert not [note for note in card.notes if "deviation" in note]
    found = Harmonizer([path])(np.full((1, 7, 16, 16), 0.2, np.float32))
    assert np.isfinite(found[:, :6]).all()
    assert np.isnan(found[:, 6:]).all()


def test_without_monitoring_scenes_nothing_is_calibrated(work, tmp_path):
    settings = HarmonizerSettings(**{**TINY, "epochs": 1, "monitor": 0.0})
    fitted = fit(work[2], settings, tmp_path, silent)
    assert len(fitted.data.split.train) == 20
    assert calibrate(fitted) is None


def test_batches_hold_what_is_drawn(work):
    settings = HarmonizerSettings(**{**TINY, "crop": 48, "augment": STILL})
    data = PairData(work[2], settings)
    batches = list(data.train_dataloader())
    assert len(batches) == data.steps == 8
    for place, index in enumerate(data.draws.epoch(0)):
        batch, row = batches[place // 4], place % 4
        inputs, target = data.store.read(index)
        np.testing.assert_array_equal(batch["inputs"][row], inputs)
        np.testing.assert_array_equal(batch["target"][row], target)
        record = data.store.records[index]
        assert batch["coarse"][row] == record.coarse_truth
        assert batch["kind"][row] == ("twin", "degraded").index(record.kind)


def test_stores_that_cannot_be_used(work, tmp_path):
    with pytest.raises(SettingsError, match=r"side 48.*harmonizer\.crop = 60"):
        PairData(work[2], HarmonizerSettings(**{**TINY, "crop": 60}))
    with pytest.raises(DatasetError, match="no such file"):
        PairData(tmp_path / "none.h5", HarmonizerSettings(**TINY))
    cut = tmp_path / "pairs.h5"
    cut.write_bytes(work[2].read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"pairs\.h5"):
        PairData(cut, HarmonizerSettings(**TINY))


def test_scores_of_the_step_do_not_depend_on_the_network(whole):
    """The step beside the result is the step alone, worked out here by numpy."""
    context, _ = whole
    store = PairData(context.input("pairs")[0] / "pairs.h5", HarmonizerSettings(**TINY))
    squares, count = np.zeros(6), 0
    for index in store.split.monitor:
        if store.store.records[index].kind == "twin":
            inputs, target = store.store.read(index)
            squares += np.square(step("sentinel-2a").apply(inputs[:6]) - target).sum(axis=(1, 2))
            count += target[0].size
    card = harmonizer_card(context.folder / "weights.json")
    (scores,) = (entry for entry in card.scores if entry["data"] == "twin")
    for role, value in zip(REFLECTIVE, np.sqrt(squares / count), strict=True):
        assert scores[f"step_rmse_{role}"] == pytest.approx(value, abs=1e-5)
        assert scores[f"rmse_{role}"] < value
