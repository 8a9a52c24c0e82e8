"""A fit learns to restore, resumes exactly, survives a kill, and its weights serve."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from nndacss.errors import DatasetError, SettingsError, WeightsError
from nndacss.identity import Order
from nndacss.inpainter.data import InpainterData
from nndacss.inpainter.fit import fit
from nndacss.inpainter.plan import inpainter_order
from nndacss.inpainter.settings import InpainterSettings
from nndacss.inpainter.stage import train_inpainter
from nndacss.models.card import load_weights
from nndacss.models.inpainter import Restorer
from nndacss.models.inpainter_card import InpainterCard, inpainter_card
from nndacss.samples.layout import Header
from nndacss.samples.write import write_store
from nndacss.train.fitting import check_checkpoint
from tests.inpainter.small import ARCHITECTURE
from tests.stages import begun, finished_store
from tests.train.stores import COLOURS, make_store, record, sample

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {
    "architecture": ARCHITECTURE,
    "epochs": 4,
    "samples_per_epoch": 16,
    "batch": 4,
    "crop": 64,
    "rate": 0.01,
    "average": 0.8,
    "monitor": 0.2,
    "hide": {"part_chance": 0.2},
}


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A work root with a finished sample store, and its order."""
    root = tmp_path_factory.mktemp("inpainter")
    return root, *finished_store(root, "samples", make_store)


@pytest.fixture(scope="session")
def whole(work):
    """The uninterrupted fit, in this process, through the stage's body."""
    root, samples, _ = work
    order = inpainter_order(samples, {"inpainter": InpainterSettings(**TINY)}, "whole")
    torch.set_num_threads(1)
    context = begun(order, root)
    return context, train_inpainter(context)


def silent(fraction, message):
    pass


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(value, second[name]) for name, value in first.items()
    )


def test_it_learns_and_its_weights_serve(whole):
    """Cloud put where there was ground has the cloud's colour."""
    context, summary = whole
    scores = summary["scores"]
    assert scores["monitor/l1"] < 0.15
    restorer = Restorer(context.folder / "weights.json")
    pixels, sets = sample(np.random.default_rng(99), 64, partial=False)
    hole = np.zeros((1, 64, 64), bool)
    hole[0, 16:40, 20:50] = True
    assert (sets[hole[0]] != 8).any()
    painted = restorer.restore(pixels[None], hole)[0][:, hole[0]].mean(axis=1)
    distances = np.abs(COLOURS - painted).mean(axis=1)
    assert distances.argmin() == 3


def test_scores_are_errors_of_what_was_hidden(work, whole):
    """Worked out again from store and weights, by numpy."""
    context, summary = whole
    data = InpainterData(work[2], InpainterSettings(**TINY))
    restorer = Restorer(context.folder / "weights.json")
    typical = np.array(data.typical(), np.float32)[:, None]
    np.testing.assert_allclose(typical[:, 0], COLOURS[3], atol=0.005)
    errors, plain = [], []
    for item in data.plain(data.parts["monitor"]):
        pixels, hole = item["pixels"].numpy(), item["hole"].numpy()
        assert hole.any()
        found = restorer.restore(pixels[None], hole[None])[0]
        errors.append(np.abs(found - pixels)[:, hole])
        plain.append(np.abs(typical - pixels[:, hole]))
    for word, wanted in (("l1", errors), ("one_colour", plain)):
        value = np.concatenate(wanted, axis=1).mean()
        assert summary["scores"][f"monitor/{word}"] == pytest.approx(value, abs=1e-4)


def test_the_card_says_what_it_was_made_of(work, whole):
    context, summary = whole
    card = inpainter_card(context.folder / "weights.json")
    assert (card.structure, card.family, card.largest) == ("cloud", "own", 0.6)
    assert set(card.scaling.offset) == set(card.roles)
    assert card.training["recipe"] == context.order.recipe.digest
    data = card.training["data"]
    assert [data[name]["simulated"] for name in ("biome_chips", "twin")] == [False, True]
    # six scenes each, of which round(0.2 * 6) watch
    assert [data[name]["scenes"] for name in ("biome_chips", "twin")] == [5, 5]
    assert len(data["twin"]["kept_out"]) == 1
    assert {entry["data"] for entry in card.scores} == {
        "monitor", "monitor/biome_chips", "monitor/twin",
    }  # fmt: skip
    assert any("in part on simulated" in note for note in card.notes)
    assert summary["samples"] == {"train": 10, "monitor": 2, "skipped": 0}
    with Image.open(context.folder / "pictures.png") as picture:
        assert picture.size == (3 * 64 + 2 * 6, 2 * (64 + 6))


def test_a_structure_that_is_only_simulated_is_said_to_be(work, tmp_path):
    """Half of the store never tells snow from clear ground: its samples teach no snow."""
    root, samples, _ = work
    settings = InpainterSettings(**{**TINY, "structure": "snow", "epochs": 1})
    context = begun(inpainter_order(samples, {"inpainter": settings}, "snow"), root)
    summary = train_inpainter(context)
    card = inpainter_card(context.folder / "weights.json")
    assert card.training["data"]["biome_chips"]["samples"] == 0
    assert summary["samples"]["skipped"] == 6
    assert "All snow it has seen is simulated (twin)." in card.notes


def test_two_and_two_epochs_are_four(work, whole, tmp_path):
    """With the loader in a process of its own the second time: it changes nothing."""
    context, _ = whole
    settings = InpainterSettings(**TINY)
    first = fit(work[2], settings, tmp_path, silent, stop_after=2)
    assert len(first.history) == 2
    second = fit(work[2], settings.model_copy(update={"workers": 1}), tmp_path, silent)
    theirs = check_checkpoint(context.folder / "last.ckpt")
    mine = check_checkpoint(tmp_path / "last.ckpt")
    assert not same(second.learner.state_dict(), first.learner.state_dict())
    assert same(theirs["state_dict"], mine["state_dict"])
    for word in ("lr_schedulers", "callbacks"):
        assert theirs[word] == mine[word]
    assert repr(theirs["optimizer_states"]) == repr(mine["optimizer_states"])
    _, tensors = load_weights(context.folder / "weights.json", InpainterCard)
    assert same(dict(second.learner.result.state_dict()), tensors)


@pytest.mark.slow
def test_a_killed_child_goes_on_and_ends_with_the_same_weights(work, whole):
    root, _, _ = work
    context, summary = whole
    # another name for the same recipe: another folder
    order = Order(context.order.recipe, "killed", context.order.location)
    order.save(root)
    recipe = root / "recipes" / f"{order.recipe.digest}.json"
    command = [sys.executable, "-m", "nndacss.inpainter", recipe, "--work", root, "--threads", "1"]

    def start():
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    child = start()
    for line in child.stdout:
        if "epoch 3 of 4" in json.loads(line)["message"]:
            child.send_signal(signal.SIGKILL)
    child.wait()
    folder = root / "inpainter" / order.target
    assert not (folder / "stage.json").exists()
    child = start()
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    assert json.loads(output.splitlines()[0])["message"].startswith("epoch 3 of 4")
    done = json.loads((folder / "stage.json").read_text())
    assert done["summary"]["sha256"] == summary["sha256"]


def test_batch_norms_settle_before_the_end(work, tmp_path):
    """From the first epoch on here: they keep the statistics they were born with."""
    tiny = {**TINY, "epochs": 1, "average": 0.0, "samples_per_epoch": 4}
    for settle, moved in ((1.0, False), (0.0, True)):
        settings = InpainterSettings(**{**tiny, "settle": settle})
        fitted = fit(work[2], settings, tmp_path / str(settle), silent)
        means = [v for k, v in fitted.learner.result.state_dict().items() if "running_mean" in k]
        assert any(bool((value != 0).any()) for value in means) == moved


def test_it_goes_on_from_other_weights_of_the_same_network(work, whole):
    _, samples, _ = work
    context, summary = whole
    start = {"start": str(context.folder / "weights.json")}
    own = InpainterSettings(**{**TINY, **start, "structure": "shadow"})
    order = inpainter_order(samples, {"inpainter": own}, "next")
    assert order.recipe.weights == summary["sha256"]
    other = {"encoder": "tu-mobilenetv3_small_100", "decoder_channels": (16, 16, 8, 8, 8)}
    wrong = InpainterSettings(**{**TINY, **start, "architecture": other})
    with pytest.raises(WeightsError, match=r"set inpainter\.architecture as in the card"):
        inpainter_order(samples, {"inpainter": wrong}, "next")


def test_batches_hold_what_is_drawn(work):
    still = {"flip": False, "brightness": 0, "gain": 0, "drop_chance": 0}
    hide = {"part_chance": 0, "margin": 0, "largest": 0.99}
    data = InpainterData(work[2], InpainterSettings(**{**TINY, "augment": still, "hide": hide}))
    batches = list(data.train_dataloader())
    assert len(batches) == data.steps == 4
    for place, index in enumerate(data.draws.epoch(0)):
        batch, row = batches[place // 4], place % 4
        pixels, sets = data.store.read(index)
        np.testing.assert_array_equal(batch["pixels"][row], pixels)
        np.testing.assert_array_equal(batch["hole"][row], sets == 8)
        assert data.datasets[batch["group"][row]] == data.store.records[index].dataset


def test_stores_that_cannot_be_used(work, tmp_path):
    with pytest.raises(SettingsError, match=r"side 64.*inpainter\.crop = 96"):
        InpainterData(work[2], InpainterSettings(**{**TINY, "crop": 96}))
    with pytest.raises(SettingsError, match="no data set 'sparcs'"):
        InpainterData(work[2], InpainterSettings(**{**TINY, "share": {"sparcs": 0.5}}))
    few = make_store(tmp_path / "few.h5", counts=(("twin", 3),))
    with pytest.raises(DatasetError, match=r"3 samples .* show snow.*batch of 4.*hide\.least"):
        InpainterData(few, InpainterSettings(**{**TINY, "structure": "snow", "monitor": 0}))
    with pytest.raises(DatasetError, match="no such file"):
        InpainterData(tmp_path / "none.h5", InpainterSettings(**TINY))


def test_only_climate_labels_and_known_bands_will_do(tmp_path):
    def store(name, roles, scheme):
        classes = ("clear", "shadow", "snow", "cloud")
        pixels, sets = sample(np.random.default_rng(0), 64, partial=False)
        header = Header(roles, scheme, classes, 64, {})
        items = [(pixels[: len(roles)], sets, record("twin", "a", sets))]
        write_store(tmp_path / name, header, items)
        return tmp_path / name

    with pytest.raises(SettingsError, match=r"scheme land_cover; expected climate"):
        InpainterData(store("a.h5", ("blue",), "land_cover"), InpainterSettings(**TINY))
    with pytest.raises(SettingsError, match=r"band thermal without scaling"):
        InpainterData(store("b.h5", ("blue", "thermal"), "climate"), InpainterSettings(**TINY))
