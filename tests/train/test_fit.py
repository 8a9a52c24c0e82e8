"""A fit learns, resumes exactly, keeps what it should, and survives a kill."""

import hashlib
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from nndacss.errors import SettingsError, StageError, WeightsError
from nndacss.identity import Order
from nndacss.models.card import MaskCard, load_card, load_weights
from nndacss.models.darkness import Darkness
from nndacss.models.parallax import Parallax
from nndacss.models.segmentation import Architecture, build, encode
from nndacss.settings import load_settings, restore
from nndacss.train.export import export
from nndacss.train.fit import fit
from nndacss.train.fitting import check_checkpoint, device_for
from nndacss.train.plan import train_order
from nndacss.train.settings import TrainSettings
from nndacss.train.stage import train_model
from nndacss.train.watch import WholeCheckpoints
from tests.stages import begun, finished_store
from tests.train.stores import make_store, sample

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {
    "architecture": Architecture(
        encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 8, 8, 8)
    ),
    "epochs": 4,
    "batch": 4,
    "crop": 64,
    "rate": 0.005,
    "samples_per_epoch": 16,
    "share": {"biome_chips": 0.5},
    "fold": 0,
    "monitor": 0.2,
    "workers": 0,
}


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A work root with a finished sample store, and its order."""
    root = tmp_path_factory.mktemp("train")
    return root, *finished_store(root, "samples", make_store)


def silent(fraction, message):
    pass


def fingerprint(module):
    sha = hashlib.sha256()
    for name, value in module.state_dict().items():
        sha.update(name.encode() + value.contiguous().numpy().tobytes())
    return sha.hexdigest()


@pytest.fixture(scope="session")
def whole(work, tmp_path_factory):
    """The uninterrupted fit, in this process, through the stage's body."""
    root, samples, _ = work
    order = train_order(samples, {"train": TrainSettings(**TINY)}, "whole")
    torch.set_num_threads(1)
    context = begun(order, root)
    return context, train_model(context)


def test_it_learns_and_its_weights_serve(whole):
    context, summary = whole
    assert summary["scores"]["train/loss"] < 1.2
    card, tensors = load_weights(context.folder / "weights.json", MaskCard)
    assert (card.roles[0], card.classes[3]) == ("blue", "cloud")
    assert card.required == ("blue", "green", "red", "nir08")
    assert (card.finest, card.coarsest, card.levels) == (30.0, 60.0, ("TOA",))
    network = build(card.architecture, 6, 4).eval()
    network.load_state_dict(tensors)
    pixels, sets = sample(np.random.default_rng(99), 64, partial=False)
    with torch.no_grad():
        logits = network(encode(torch.from_numpy(pixels)[None], card.roles, card.scaling))
    right = (1 << logits.argmax(1)[0].numpy()) == sets
    assert right.mean() > 0.7  # chance is 0.25


def test_the_card_says_what_it_was_made_of(whole):
    context, _ = whole
    card = load_card(context.folder / "weights.json", MaskCard)
    assert card.training["recipe"] == context.order.recipe.digest
    data = card.training["data"]
    assert (data["biome_chips"]["simulated"], data["twin"]["simulated"]) == (False, True)
    # six scenes each: five folds of six leave two in fold 0; a fifth of six is one to monitor
    assert (data["biome_chips"]["samples"], data["twin"]["samples"]) == (4, 5)
    kept_out = {part for entry in data.values() for part in entry["kept_out"]}
    assert kept_out == {"monitor", "held"}
    assert any("simulated" in note for note in card.notes)
    # partial labels hold cloud alone for certain
    pixels = data["biome_chips"]["pixels"]
    assert pixels["cloud"] > 0
    assert pixels["clear"] == pixels["shadow"] == pixels["snow"] == 0
    assert {entry["data"] for entry in card.scores} == {"monitor", "held"}


def test_two_and_two_epochs_are_four(work, whole, tmp_path):
    """With the loader in a process of its own the second time: it changes nothing."""
    context, _ = whole
    settings = TrainSettings(**TINY)
    first = fit(work[2], settings, tmp_path, silent, stop_after=2)
    assert len(first.history) == 2
    second = fit(work[2], settings.model_copy(update={"workers": 1}), tmp_path, silent)
    theirs = check_checkpoint(context.folder / "last.ckpt")
    mine = check_checkpoint(tmp_path / "last.ckpt")
    assert fingerprint(second.learner) != fingerprint(first.learner)
    for name, value in theirs["state_dict"].items():
        assert torch.equal(value, mine["state_dict"][name]), name
    assert theirs["lr_schedulers"] == mine["lr_schedulers"]
    assert repr(theirs["optimizer_states"]) == repr(mine["optimizer_states"])
    assert theirs["callbacks"] == mine["callbacks"]
    # a fit that was killed after its last epoch, before the export, has nothing left to do
    third = fit(work[2], settings, tmp_path, silent)
    assert fingerprint(third.learner) == fingerprint(second.learner)
    assert third.history == second.history


def start(order, root):
    command = [sys.executable, "-m", "nndacss.train", root / "recipes" / order]
    return subprocess.Popen(
        [*command, "--work", root, "--threads", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_child_goes_on_and_ends_with_the_same_weights(work, whole):
    root, _, _ = work
    context, summary = whole
    # another name for the same recipe: another folder
    order = Order(context.order.recipe, "killed", context.order.location)
    order.save(root)
    recipe = f"{order.recipe.digest}.json"
    child = start(recipe, root)
    for line in child.stdout:
        if "epoch 3 of 4" in json.loads(line)["message"]:
            child.send_signal(signal.SIGKILL)
    child.wait()
    folder = root / "train" / order.target
    assert not (folder / "stage.json").exists()
    assert check_checkpoint(folder / "last.ckpt")["epoch"] == 1
    child = start(recipe, root)
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    lines = [json.loads(line) for line in output.splitlines()]  # nothing but progress
    assert lines[0]["message"].startswith("epoch 3 of 4")
    assert [line["progress"] for line in lines] == sorted(line["progress"] for line in lines)
    done = json.loads((folder / "stage.json").read_text())
    assert done["summary"]["sha256"] == summary["sha256"]
    assert list((folder / "logs").glob("events.out.tfevents.*"))


def test_the_best_epoch_is_chosen_by_the_monitoring_scenes(work, whole, tmp_path):
    settings = TrainSettings(**TINY, keep="best", best_by="loss").model_copy(update={"epochs": 2})
    fitted = fit(work[2], settings, tmp_path, silent)
    losses = [entry["monitor/loss"] for entry in fitted.history]
    assert fitted.epoch == losses.index(min(losses))
    best = check_checkpoint(tmp_path / "best.ckpt")["state_dict"]
    assert all(torch.equal(value, best[key]) for key, value in fitted.learner.state_dict().items())


def test_it_starts_from_other_weights(work, whole, tmp_path):
    _, samples, _ = work
    context, summary = whole
    place = str(context.folder / "weights.json")
    settings = TrainSettings(**TINY, start=place)
    order = train_order(samples, {"train": settings}, "next")
    assert order.recipe.weights == summary["sha256"]
    assert "start" not in order.recipe.settings["train"]
    _, tensors = load_weights(place, MaskCard)
    frozen = settings.model_copy(update={"epochs": 1, "rate": 1e-12, "average": 0.0, "decay": 0.0})
    fitted = fit(work[2], frozen, tmp_path, silent, start=tensors)
    for name, value in fitted.learner.network.named_parameters():
        torch.testing.assert_close(value, tensors[name], atol=1e-6, rtol=0)
    other = TrainSettings(**{**TINY, "architecture": Architecture()}, start=place)
    with pytest.raises(WeightsError, match="architecture"):
        train_order(samples, {"train": other}, "next")


def test_a_lean_is_in_what_is_exported_and_in_nothing_that_is_learned(work, whole, tmp_path):
    context, store = whole[0], work[2]
    own = {**TINY, "epochs": 1, "weights_dtype": "float32"}
    plain, leant = (TrainSettings(**own, lean=lean) for lean in ({}, {"cloud": 30.0}))
    first, second = (fit(store, s, tmp_path / str(len(s.lean)), silent) for s in (plain, leant))
    assert fingerprint(first.learner) == fingerprint(second.learner)
    mine, theirs = (
        export(fitted, settings, context.order, tmp_path / name)
        for fitted, settings, name in ((first, plain, "plain"), (second, leant, "leant"))
    )
    assert theirs.training["settings"]["lean"] == {"cloud": 30.0}
    assert "lean" not in mine.training["settings"]
    _, before = load_weights(tmp_path / "plain.json", MaskCard)
    card, after = load_weights(tmp_path / "leant.json", MaskCard)
    apart = {name for name in before if not torch.equal(before[name], after[name])}
    assert apart == {"segmentation_head.0.bias"}
    # validation scores the network as exported: everything is cloud now
    network = build(card.architecture, 6, 4).eval()
    network.load_state_dict(after)
    pixels = torch.from_numpy(sample(np.random.default_rng(9), 64, partial=False)[0])[None]
    with torch.no_grad():
        logits = network(encode(pixels, card.roles, card.scaling))
        torch.testing.assert_close(second.learner.eval()(pixels), logits, atol=1e-4, rtol=1e-5)
    assert (logits.argmax(dim=1) == card.classes.index("cloud")).all()


def test_a_lean_towards_no_class_is_named(work, tmp_path):
    settings = TrainSettings(**TINY, lean={"fog": 1.0})
    with pytest.raises(SettingsError, match=r"train\.lean: found no class 'fog'.*clear, shadow"):
        fit(work[2], settings, tmp_path, silent)


def test_evidence_is_stated_on_the_card_and_learned_nowhere(work, whole, tmp_path):
    context, store = whole[0], work[2]
    own = {**TINY, "epochs": 1}
    plain, darker = TrainSettings(**own), TrainSettings(**own, darkness={}, parallax={})
    first, second = (
        fit(store, one, tmp_path / str(one.darkness is None), silent) for one in (plain, darker)
    )
    assert fingerprint(first.learner) == fingerprint(second.learner)
    mine = export(first, plain, context.order, tmp_path / "plain")
    theirs = export(second, darker, context.order, tmp_path / "darker")
    assert (mine.darkness, theirs.darkness) == (None, Darkness())
    assert (mine.parallax, theirs.parallax) == (None, Parallax())
    _, before = load_weights(tmp_path / "plain.json", MaskCard)
    _, after = load_weights(tmp_path / "darker.json", MaskCard)
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert theirs.sha256 != mine.sha256  # which names products: these are others
    assert load_card(tmp_path / "darker.json", MaskCard) == theirs
    # a fit with it is another fit, also where all its numbers are the default
    orders = [train_order(work[1], {"train": one}, "name") for one in (plain, darker)]
    assert orders[0].recipe.digest != orders[1].recipe.digest
    restored = restore(orders[1].recipe.settings, "train")
    assert (restored.darkness, restored.parallax) == (Darkness(), Parallax())


def test_darkness_in_bands_that_there_are_not_is_named(work, tmp_path):
    settings = TrainSettings(**TINY, darkness={"bands": [["thermal"]]})
    with pytest.raises(SettingsError, match=r"train\.darkness: found thermal.*blue"):
        fit(work[2], settings, tmp_path, silent)


def test_a_loss_that_is_no_number_stops_the_fit(work, tmp_path):
    settings = TrainSettings(**TINY).model_copy(update={"rate": 1e30, "clip_gradient": 0.0})
    with pytest.raises(StageError, match=r"loss of (nan|inf).*train\.rate"):
        fit(work[2], settings, tmp_path, silent)
    # what was written before is still sound, or nothing was
    assert not list(tmp_path.glob(".draft-*"))


def test_a_cut_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    plugin = WholeCheckpoints()
    plugin.save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")

    def cut(content, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(OSError, match="No space left"):
        plugin.save_checkpoint({"epoch": 2}, tmp_path / "last.ckpt")
    assert check_checkpoint(tmp_path / "last.ckpt") == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_damaged_checkpoint_says_so(whole, tmp_path):
    context, _ = whole
    data = (context.folder / "last.ckpt").read_bytes()
    for cut in (data[: len(data) // 2], b"", b"something else"):
        (tmp_path / "last.ckpt").write_bytes(cut)
        with pytest.raises(WeightsError, match=r"last\.ckpt.*starts again"):
            check_checkpoint(tmp_path / "last.ckpt")


def test_precision_and_device_must_be_there():
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(SettingsError, match="bf16-mixed"):
        device_for(TrainSettings(precision="16-mixed"))
    with pytest.raises(SettingsError, match="no CUDA device"):
        device_for(TrainSettings(device="cuda"))
    with pytest.raises(SettingsError, match=r"train\.precision"):
        load_settings(None, ["train.precision=8"])


def test_an_unknown_encoder_fails_before_any_work(work, tmp_path):
    settings = TrainSettings(**{**TINY, "architecture": Architecture(encoder="tu-nothing")})
    with pytest.raises(SettingsError, match="tu-nothing"):
        fit(work[2], settings, tmp_path, silent)
    assert list(tmp_path.iterdir()) == []
