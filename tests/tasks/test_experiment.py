"""Experiment from the command line: shared stages, failures that spoil no other, bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.small import save_small

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
TEST = """
[[evaluate.test]]
kind = "twin"
name = "drawn"
first = 1000
count = 2
side = 64
metres = [30]
"""
#: A fit of a few seconds.
TRAINING = """
[samples]
side = 64
[[samples.datasets]]
kind = "twin"
count = 6
side = 64
metres = [30]
[train]
epochs = 1
batch = 2
crop = 64
workers = 0
cross_validated = ["twin"]
[train.architecture]
encoder = "tu-mobilenetv3_small_050"
decoder_channels = [16, 16, 16, 16, 16]
[train.augment]
zoom = [1.0, 1.4]
"""


def run(folder, text, *options):
    """Exit code and what was said; the config is written beside the work folder."""
    (folder / "a.toml").write_text(text)
    command = [LUIGI, "--module", "tasks", "Experiment", "--local-scheduler"]
    command += ["--config", "a.toml", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr


def errors(said):
    return [line for line in said.splitlines() if line.startswith("ERROR: error: ")]


def results(folder):
    return [json.loads(path.read_text()) for path in folder.glob("products/*/result.json")]


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_weights_one_of_which_is_damaged(tmp_path):
    """The other is scored and reported; when mended, only what is missing is done."""
    for seed, name in enumerate(("good", "bad")):
        save_small(tmp_path, name, seed)
    weights = tmp_path / "bad.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4] + b"xxxx")
    text = TEST + "[experiment]\nname = 'both'\nvariants = []\n"
    for name in ("bad", "good"):
        text += f"[[experiment.baselines]]\nkind = 'weights'\nname = '{name}'\n"
        text += f"weights = '{name}.json'\n"
    code, said = run(tmp_path, text)
    assert code == 30
    (error,) = errors(said)
    assert "bad.safetensors: found sha256" in error
    assert results(tmp_path) == []
    (so_far,) = tmp_path.glob("work/experiment/both_*/result.json")
    told = json.loads(so_far.read_text())
    assert told["pending"] == ["bad"]
    before = [row for row in told["scores"] if row["model"] == "good"]
    assert before

    weights.write_bytes(whole)
    good = times(next(tmp_path.glob("work/evaluate/good_*")))
    code, said = run(tmp_path, text)
    assert code == 0, said
    assert times(next(tmp_path.glob("work/evaluate/good_*"))) == good
    (found,) = results(tmp_path)
    assert found["complete"]
    assert [row for row in found["scores"] if row["model"] == "good"] == before
    assert {row["model"] for row in found["scores"]} == {"good", "bad"}
    names = {path.name for path in next(tmp_path.glob("products/*")).iterdir()}
    csv = {f"{name}.csv" for name in ("scores", "scenes", "confusion", "differences", "parts")}
    assert names == {"report.html", "result.json"} | csv

    after = times(tmp_path)
    assert run(tmp_path, text)[0] == 0
    assert times(tmp_path) == after | {tmp_path / "a.toml": times(tmp_path)[tmp_path / "a.toml"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no [[evaluate.test]]"),
        (TEST + "[experiment]\nseed = 3\n", "unknown key experiment.seed"),
        (
            TEST + TRAINING + "[[experiment.variants]]\nname = 'a'\nset.train.epoch = 3\n",
            "variant 'a': found unknown key train.epoch",
        ),
        (
            "[[evaluate.test]]\nkind = 'biome_chips'\nfolder = 'nowhere'\n",
            "nowhere/train: found no such folder",
        ),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, text, message):
    code, said = run(tmp_path, text)
    assert code in (30, 35)
    assert {message in line for line in errors(said)} == {True}, said
    assert "Traceback" not in said
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_training_in_folds_and_a_variant_that_fails(tmp_path):
    text = TRAINING + TEST.replace("1000", "0").replace("count = 2", "count = 6")
    text += 'cross_validated = true\n[experiment]\nname = "folds"\nfolds = 2\n'
    text += "[[experiment.variants]]\nname = 'plain'\n"
    text += "[[experiment.variants]]\nname = 'failing'\nset.train.batch = {}\n"
    code, said = run(tmp_path, text.format(64))
    assert code == 30
    assert all("expected at least one batch of 64" in line for line in errors(said)), said
    (so_far,) = tmp_path.glob("work/experiment/folds_*/result.json")
    assert json.loads(so_far.read_text())["pending"] == [
        "failing, seed 0, fold 0",
        "failing, seed 0, fold 1",
    ]
    code, said = run(tmp_path, text.format(3))
    assert code == 0, said
    (found,) = results(tmp_path)
    # one store for both variants; every scene scored once by each
    assert len(list(tmp_path.glob("work/samples/*/stage.json"))) == 1
    assert len(list(tmp_path.glob("work/train/*/stage.json"))) == 4
    for model in ("plain", "failing"):
        scenes = [row for row in found["scenes"] if row["model"] == model]
        assert sorted(row["scene"] for row in scenes) == [f"twin-{seed}" for seed in range(6)]
        assert all(row["labelled"] <= 64 * 64 for row in scenes)
