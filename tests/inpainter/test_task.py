"""TrainInpainter from the command line: samples, fit, weights; and how it is planned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndacss.identity import load_order, recipe_path
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.inpainter import Restorer
from nndacss.settings import load_settings
from tasks.inpainter import TrainInpainter
from tests.tasks.conftest import LUIGI, ROOT

SMALL = ROOT / "configs" / "inpainter_small.toml"
#: The bundled small config, smaller still.
SMALLER = (
    'samples.datasets=[{ kind = "twin", count = 4, side = 64 }]', "samples.side=64",
    "inpainter.crop=64", "inpainter.batch=2", "inpainter.samples_per_epoch=4",
    "inpainter.epochs=1", "inpainter.monitor=0.3",
)  # fmt: skip


def run(folder, *options):
    settings = [word for setting in SMALLER for word in ("--set", setting)]
    command = [LUIGI, "--module", "tasks.inpainter", "TrainInpainter", "--local-scheduler"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "--config", str(SMALL), *settings, *options],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_config_makes_samples_then_weights_that_load(tmp_path):
    done = run(tmp_path, "--name", "mine")
    assert done.returncode == 0, done.stderr
    (card,) = tmp_path.glob("work/inpainter/mine_*/weights.json")
    assert str(card.relative_to(tmp_path)) in done.stderr
    assert card.with_name("pictures.png").is_file()
    assert len(list(tmp_path.glob("work/samples/*/samples.h5"))) == 1
    pixels, hole = np.full((1, 6, 64, 64), 0.2, np.float32), np.zeros((1, 64, 64), bool)
    hole[0, 20:30, 20:40] = True
    assert np.isfinite(Restorer(card).restore(pixels, hole)).all()
    assert json.loads(card.read_text())["name"] == "mine"


def test_a_wrong_setting_is_one_line_before_any_work(tmp_path):
    done = run(tmp_path, "--set", "inpainter.structure=fog")
    assert done.returncode != 0
    assert "inpainter.structure = 'fog'" in done.stderr
    assert not list(tmp_path.glob("work/*/*/stage.json"))


def test_the_plan_is_a_chain_of_recipes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = TrainInpainter(config=str(SMALL))
    samples = task.requires()
    order = load_order(recipe_path(Path("work"), task.order.recipe.digest))
    assert order.recipe.inputs == {"samples": samples.recipe}
    assert TrainInpainter(name="other", config=str(SMALL)).order.recipe == order.recipe
    for change in ("inpainter.structure=snow", "inpainter.loss.second=whole", "samples.side=96"):
        other = TrainInpainter(config=str(SMALL), set=(change,)).order.recipe
        assert other.digest != order.recipe.digest
        assert (other.inputs != order.recipe.inputs) == change.startswith("samples")
    for change in ("inpainter.workers=2", "inpainter.device=cpu"):
        other = TrainInpainter(config=str(SMALL), set=(change,)).order.recipe
        assert other.digest == order.recipe.digest
    assert not task.complete()


def test_the_task_imports_nothing_heavy():
    code = "import sys, tasks.inpainter; print({'torch', 'numpy', 'h5py'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["inpainter.toml", "inpainter_small.toml"])
def test_bundled_configs_are_valid(name):
    settings = load_settings(ROOT / "configs" / name)["inpainter"]
    assert isinstance(settings, InpainterSettings)
    assert settings.changed()  # it has a section of its own
