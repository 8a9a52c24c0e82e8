"""TrainHarmonizer from the command line: pairs, fit, weights; and how it is planned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndacss.identity import load_order, recipe_path
from nndacss.models.harmonizer import Harmonizer
from tasks.harmonizer import TrainHarmonizer
from tests.tasks.conftest import LUIGI, ROOT

SMALL = ROOT / "configs" / "harmonizer_small.toml"
#: The bundled small config, smaller still.
SMALLER = (
    'pairs.sources=[{ kind = "twin", count = 3, image = 120 }]', "pairs.side=60",
    "harmonizer.crop=48", "harmonizer.batch=2", "harmonizer.samples_per_epoch=4",
    "harmonizer.epochs=1", "harmonizer.monitor=0.3",
)  # fmt: skip


def run(folder, *options):
    settings = [word for setting in SMALLER for word in ("--set", setting)]
    command = [LUIGI, "--module", "tasks.harmonizer", "TrainHarmonizer", "--local-scheduler"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "--config", str(SMALL), *settings, *options],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_config_makes_pairs_then_weights_that_load(tmp_path):
    done = run(tmp_path, "--name", "mine")
    assert done.returncode == 0, done.stderr
    (card,) = tmp_path.glob("work/harmonizer/mine_*/weights.json")
    assert str(card.relative_to(tmp_path)) in done.stderr
    assert len(list(tmp_path.glob("work/pairs/*/pairs.h5"))) == 1
    pixels = np.full((1, 7, 48, 48), 0.2, dtype=np.float32)
    found = Harmonizer([card])(pixels)
    assert found.shape == (1, 12, 48, 48)
    assert np.isfinite(found).all()
    facts = json.loads(card.read_text())
    assert facts["name"] == "mine"
    assert facts["training"]["data"]["twin"]["scenes"] == 2


def test_a_wrong_setting_is_one_line_before_any_work(tmp_path):
    done = run(tmp_path, "--set", "harmonizer.crop=50")
    assert done.returncode != 0
    assert "crop must be a multiple of 6" in done.stderr
    assert not list(tmp_path.glob("work/*/*/stage.json"))


def test_the_plan_is_a_chain_of_recipes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = TrainHarmonizer(config=str(SMALL))
    pairs = task.requires()
    order = load_order(recipe_path(Path("work"), task.order.recipe.digest))
    assert order.recipe.inputs == {"pairs": pairs.recipe}
    assert TrainHarmonizer(name="other", config=str(SMALL)).order.recipe == order.recipe
    more = TrainHarmonizer(config=str(SMALL), set=("pairs.side=96",))
    assert more.order.recipe.inputs != order.recipe.inputs
    assert not task.complete()


def test_the_task_imports_nothing_heavy():
    code = "import sys, tasks.harmonizer; print({'torch', 'numpy', 'h5py'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["harmonizer.toml", "harmonizer_small.toml"])
def test_bundled_configs_are_valid(name):
    from nndacss.harmonizer.settings import HarmonizerSettings
    from nndacss.settings import load_settings

    settings = load_settings(ROOT / "configs" / name)["harmonizer"]
    assert isinstance(settings, HarmonizerSettings)
    assert settings.changed()  # it has a section of its own
