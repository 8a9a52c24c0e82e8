"""MaskBank and GenerateInpaintedSamples from the command line."""

import json
import os
import re
import subprocess

import pytest

from nndacss.errors import NndacssError
from nndacss.inpaint.bank import MaskBank as Bank
from nndacss.inpaint.store import PaintedStore
from tasks.inpaint import GenerateInpaintedSamples, MaskBank
from tests.inpaint.banks import make_bank
from tests.tasks.conftest import LUIGI, ROOT

CONFIG = """
[samples]
side = 64
[[samples.datasets]]
kind = "twin"
first = 3
count = 4
side = 64
metres = [30]
[[mask_bank.sources]]
kind = "masks"
folder = "masks"
[[mask_bank.sources]]
kind = "twin"
first = 1
count = 1
side = 128
metres = [30]
levels = ["TOA"]
sensors = ["landsat8_oli"]
[inpaint.paint]
modes = ["duplicate", "clouds_on_empty", "clouds_on_empty_or_snow", "snow_on_empty"]
"""

INPAINT = """[inpaint]
train = true
draws = 2
[inpaint.paint]"""
TRAINED = """
[train]
epochs = 1
samples_per_epoch = 4
batch = 2
crop = 64
monitor = 0.0
cross_validated = []
architecture = { encoder = "tu-mobilenetv3_small_050", decoder_channels = [8, 8, 8, 8, 8] }
[[evaluate.test]]
kind = "twin"
first = 1000
count = 2
side = 64
metres = [30]
[experiment]
name = "painted"
[[experiment.variants]]
name = "painted"
"""


@pytest.fixture
def folder(tmp_path):
    make_bank(tmp_path)
    (tmp_path / "a.toml").write_text(CONFIG)
    return tmp_path


def luigi(folder, task, *options):
    command = [LUIGI, "--module", "tasks", task, "--local-scheduler", "--config", "a.toml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_samples_are_made_with_their_bank(folder):
    done = luigi(folder, "GenerateInpaintedSamples")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("work/inpaint/inpainted_*/samples.h5")
    assert str(path.relative_to(folder)) in done.stderr
    with PaintedStore(path) as store:
        notes = [store.origin(index) for index in range(len(store))]
    assert [note["draw"] for note in notes] == [0, 1] * 4
    assert any(note["mode"] for note in notes)
    # the bank of the same config is there already; a copy of it is for training
    before = {path: path.stat().st_mtime_ns for path in folder.glob("work/*/*/stage.json")}
    again = luigi(folder, "MaskBank", "--bank", "mine.h5")
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    bank = Bank(folder / "mine.h5")
    kinds = [record.kind for record in bank.records]
    assert kinds.count("cloud") >= 5
    assert "snow" in kinds
    assert "the mask bank is mine.h5" in again.stderr


def test_a_network_is_trained_on_painted_samples(folder):
    """The store holds every sample and two painted versions of it: 12 of 4 places."""
    (folder / "a.toml").write_text(CONFIG.replace("[inpaint.paint]", INPAINT) + TRAINED)
    done = luigi(folder, "Experiment")
    assert done.returncode == 0, done.stderr
    (card,) = folder.glob("work/train/*/weights.json")
    (about,) = json.loads(card.read_text())["training"]["data"].values()
    assert (about["samples"], about["scenes"]) == (12, 4)
    (result,) = folder.glob("products/painted_*/result.json")
    assert result.is_file()


def test_a_bank_by_its_path_is_another_recipe_and_needs_no_sources(folder, monkeypatch):
    monkeypatch.chdir(folder)
    first = GenerateInpaintedSamples(config=str(folder / "a.toml"))
    assert [type(task).__name__ for task in first.requires()] == ["MakeSamples", "MaskBank"]
    text = CONFIG.replace("[inpaint.paint]", '[inpaint.paint]\nbank = "bank.h5"')
    (folder / "b.toml").write_text(text.replace('folder = "masks"', 'folder = "nowhere"'))
    second = GenerateInpaintedSamples(config=str(folder / "b.toml"))
    assert [type(task).__name__ for task in second.requires()] == ["MakeSamples"]
    assert second.order.recipe.digest != first.order.recipe.digest
    assert second.requires()[0].recipe == first.requires()[0].recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('folder = "masks"', 'folder = "none"'), "none: found no such folder"),
        (
            ('modes = ["duplicate"', 'modes = ["copy"'),
            "expected modes must be different, of duplicate",
        ),
        (('kind = "masks"', 'kind = "mask"'), "datasets = 'mask' is not known"),
        (("side = 64\n[[", 'side = 64\nroles = ["blue", "blue"]\n[['), "roles must be different"),
    ],
)
def test_bad_input_is_told_before_any_work(folder, monkeypatch, change, message):
    monkeypatch.chdir(folder)
    (folder / "a.toml").write_text(CONFIG.replace(*change))
    with pytest.raises(NndacssError, match=re.escape(message)):
        GenerateInpaintedSamples(config=str(folder / "a.toml")).requires()
    assert not list(folder.glob("work/*/*/stage.json"))


def test_a_bank_without_sources(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "a.toml").write_text("[samples]\nside = 64\n")
    with pytest.raises(NndacssError, match=r"no \[\[mask_bank.sources\]\]"):
        MaskBank(config=str(folder / "a.toml")).output()
