"""MakeViews, ComposeSamples and an experiment on them, from the command line."""

import json
import os
import re
import subprocess
import sys

import pytest

from nndacss.errors import NndacssError
from nndacss.experiment.plan import plan_experiment
from nndacss.identity import load_order, recipe_path
from nndacss.resources import config_file
from nndacss.samples.store import SampleStore
from tasks.compose import ComposeSamples
from tests.models.small_harmonizer import small_harmonizer
from tests.tasks.conftest import LUIGI, ROOT

VIEWS = """
[views]
side = 96
weights = ["small_harmonizer.json"]
device = "cpu"
[[views.sources]]
kind = "twin"
first = 5
count = 3
"""
COMPOSE = """
[compose]
side = 32
fourier = { block = 600 }
"""
EXPERIMENT = """
[train]
epochs = 1
batch = 2
crop = 32
workers = 0
monitor = 0.0
cross_validated = []
[train.architecture]
encoder = "tu-mobilenetv3_small_050"
decoder_channels = [16, 16, 16, 16, 16]
[train.augment]
zoom = [1.0, 1.4]
[[evaluate.test]]
kind = "twin"
first = 1000
count = 2
side = 32
sensors = ["sentinel2_msi"]
levels = ["SR"]
metres = [20]
[experiment]
name = "small"
[[experiment.variants]]
name = "plain"
set.compose.method = "bicubic"
[[experiment.variants]]
name = "composed"
"""


def luigi(folder, task, text, *options):
    small_harmonizer(folder)
    (folder / "a.toml").write_text(text)
    command = [LUIGI, "--module", "tasks", task, "--local-scheduler", "--config", "a.toml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command += options
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_views_then_samples_that_are_shown(tmp_path):
    done = luigi(tmp_path, "ComposeSamples", VIEWS + COMPOSE)
    assert done.returncode == 0, done.stderr
    (store,) = tmp_path.glob("work/compose/by_class-fourier_*/samples.h5")
    assert str(store.relative_to(tmp_path)) in done.stderr
    (views,) = tmp_path.glob("work/views/views_*/views.h5")
    before = views.stat().st_mtime_ns
    with SampleStore(store) as opened:
        assert len(opened) == 3
    # another method takes the same views
    more = "--set", "compose.method=deep", "--name", "mine"
    other = luigi(tmp_path, "ComposeSamples", VIEWS + COMPOSE, *more)
    assert other.returncode == 0, other.stderr
    assert views.stat().st_mtime_ns == before
    assert len(list(tmp_path.glob("work/compose/mine_*/samples.h5"))) == 1
    command = [LUIGI, "--module", "tasks", "ShowSamples", "--local-scheduler"]
    command += ["--store", str(store), "--page", "page.html"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert "landsat8_oli as sentinel2_msi SR 20 m" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (COMPOSE, "no [[views.sources]] in the config"),
        (VIEWS + "[compose]\nmethod = 'fourer'\n", "compose.method: found 'fourer'"),
        (VIEWS.replace("small_harmonizer", "none"), "none.json"),
    ],
)
def test_bad_input_is_told_before_any_work(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    small_harmonizer(tmp_path)
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(NndacssError, match=re.escape(message)):
        ComposeSamples(config=str(tmp_path / "a.toml")).requires()
    assert not list(tmp_path.glob("work/*/*/stage.json"))


def test_an_error_is_one_line(tmp_path):
    done = luigi(tmp_path, "ComposeSamples", VIEWS + "[compose]\nside = 64\n")
    assert done.returncode == 35
    (error,) = {line for line in done.stderr.splitlines() if line.startswith("ERROR: error: ")}
    assert "views of 48 pixels of 20 m; expected at least compose.side = 64" in error
    assert "Traceback" not in done.stderr


def plan(folder, text):
    small_harmonizer(folder)
    (folder / "a.toml").write_text(text)
    return plan_experiment(folder / "a.toml")


def test_variants_share_their_views(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned = plan(tmp_path, VIEWS + COMPOSE + EXPERIMENT)
    one, other = (run.needs for run in planned.runs)
    assert [order.recipe.stage for order in one] == ["views", "compose", "train"]
    assert one[0].recipe.digest == other[0].recipe.digest
    assert one[1].recipe.digest != other[1].recipe.digest
    assert one[2].recipe.inputs == {"samples": one[1].recipe.digest}
    planned.save(tmp_path / "work")
    train = load_order(recipe_path(tmp_path / "work", one[2].recipe.digest))
    assert load_order(recipe_path(tmp_path / "work", train.recipe.inputs["samples"])) == one[1]


def test_a_variant_without_views_is_trained_on_plain_samples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = "[[samples.datasets]]\nkind = 'twin'\n[[experiment.variants]]\nname = 'cut'\n"
    planned = plan(tmp_path, VIEWS + COMPOSE + EXPERIMENT + more + "set.views.sources = []\n")
    assert [order.recipe.stage for order in planned.runs[-1].needs] == ["samples", "train"]


@pytest.mark.slow
def test_an_experiment_on_composed_samples(tmp_path):
    text = VIEWS + COMPOSE + EXPERIMENT
    done = luigi(tmp_path, "Experiment", text)
    assert done.returncode == 0, done.stderr
    (result,) = (json.loads(p.read_text()) for p in tmp_path.glob("products/*/result.json"))
    assert {row["model"] for row in result["scores"]} == {"plain", "composed"}
    for card in tmp_path.glob("work/train/*/weights.json"):
        facts = json.loads(card.read_text())
        assert facts["training"]["data"]["twin"]["simulated"]
        assert "simulated images (twin)" in facts["notes"][0]
    # tested on what it was trained on: refused
    seen = text.replace("first = 1000", "first = 5")
    done = luigi(tmp_path, "Experiment", seen)
    assert done.returncode != 0
    assert "scenes that the model was trained on" in done.stderr


def test_the_tasks_import_nothing_heavy():
    code = (
        "import sys, tasks.compose, nndacss.compose.plan, nndacss.views.plan\n"
        "print({'torch', 'rasterio', 'h5py', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["nndacss.toml", "nndacss_small.toml"])
def test_bundled_experiments_are_planned(name):
    """Training and test seeds do not meet, and all variants but the last share their views."""
    planned = plan_experiment(config_file(name))
    assert planned.losses == ()
    stages = {order.recipe.stage: order for run in planned.runs for order in run.needs}
    (source,) = stages["views"].recipe.settings["views"]["sources"]
    tests = planned.runs[0].evaluate.recipe.settings["evaluate"]["test"]
    assert all(entry["first"] > source.get("first", 0) + source["count"] for entry in tests)
    views = {order.recipe.digest for run in planned.runs for order in run.needs[:1]}
    assert len(views) == (2 if "samples" in stages else 1)
