"""TrainCycleGAN and its kin: published names, parameters and defaults; planned and run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import luigi
import pytest

from nndacss.cyclegan.settings import ABLATIONS, DEFAULT_CLOUD, CycleGANSettings
from nndacss.errors import DatasetError, SettingsError
from nndacss.models.probav_card import DEFAULT_CLOUD as CARDS_DEFAULT
from nndacss.settings import load_settings
from tasks.cyclegan import MakeCycleGANDataset, TrainAllCycleGAN, TrainCloudNet, TrainCycleGAN
from tasks.transfer import TransferExperiment
from tests.cyclegan.patches import pairs_file
from tests.tasks.conftest import LUIGI, ROOT

SMALL = str(ROOT / "configs" / "probav_small.toml")
#: As the published program has them.
PUBLISHED = {
    "folder": "checkpoints_trained",
    "gradient_penalty_mode": "meschederreal",
    "gradient_penalty_weight": 10.0,
    "df_gen": 64,
    "df_disc": 8,
    "epochs": 25,
    "seed": 123,
    "batch_size": 48,
    "lr": 1e-4,
    "identity_lambda": 5.0,
    "cycled_lambda": 5.0,
    "segmentation_consistency_lmbda": 1.0,
    "suffix": "",
    "normtype": "batchnorm",
}
TINY = (
    *("--df-gen", "2", "--df-disc", "2", "--batch-size", "3", "--epochs", "2"),
    *("--segmentation-consistency-lmbda", "0"),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs_file(tmp_path / "simultaneous_landsatbiomeaspv_64_32.hdf5", count=10)
    return tmp_path


def run(folder, *options):
    command = [LUIGI, "--module", "tasks.cyclegan", "TrainCycleGAN", "--local-scheduler"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, *options], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_published_parameters_and_defaults(here):
    task = TrainCycleGAN(dataset_folder=str(here), segmentation_consistency_lmbda=0.0)
    for name, value in PUBLISHED.items():
        if name != "segmentation_consistency_lmbda":
            assert getattr(task, name) == value
    published = CycleGANSettings()
    for name, parameter in TrainCycleGAN.get_params():
        if name in CycleGANSettings.model_fields:
            assert parameter.task_value("TrainCycleGAN", name) == getattr(published, name)
    assert DEFAULT_CLOUD == CARDS_DEFAULT


def test_names_of_the_weights_are_the_published_ones(here):
    task = TrainCycleGAN(
        dataset_folder=str(here), segmentation_consistency_lmbda=0.0, suffix="full"
    )
    names = [target.path.stem for target in task.output()]
    assert sorted(names) == [
        "discl8cycle_64_8_full",
        "discpvcycle_64_8_full",
        "genl82pvcycle_64_8_full",
        "genpv2l8cycle_64_8_full",
    ]
    assert not task.complete()


def test_parameters_win_over_the_config_and_set_over_both(here):
    base = {"dataset_folder": str(here), "segmentation_consistency_lmbda": 0.0}
    plain = TrainCycleGAN(**base, config=SMALL)._settings["cyclegan"]
    assert (plain.df_gen, plain.lr) == (16, 1e-3)
    given = TrainCycleGAN(**base, config=SMALL, df_gen=8, normtype="no")._settings["cyclegan"]
    assert (given.df_gen, given.normtype, given.lr) == (8, "no", 1e-3)
    last = TrainCycleGAN(**base, config=SMALL, df_gen=8, set=("cyclegan.df_gen=4",))
    assert last._settings["cyclegan"].df_gen == 4


def test_the_five_ablations(here):
    cards = "no-such-weights"
    tasks = TrainAllCycleGAN(
        dataset_folder=str(here), suffix="x", seed=7, weights_cloud_detection=cards
    ).requires()
    weights = [
        (t.identity_lambda, t.cycled_lambda, t.segmentation_consistency_lmbda) for t in tasks
    ]
    assert weights == [(5, 5, 1), (0, 5, 1), (5, 5, 0), (0, 5, 0), (5, 0, 0)]
    assert [t.suffix for t in tasks] == [f"x{name}" for name in ABLATIONS]
    assert {(t.seed, t.dataset_folder) for t in tasks} == {(7, str(here))}


def test_weights_of_other_settings_are_not_taken_for_done(here):
    def task(**changed):
        return TrainCycleGAN(
            dataset_folder=str(here), segmentation_consistency_lmbda=0.0, folder="out", **changed
        )

    first = task()
    for target in first.output():
        target.path.parent.mkdir(exist_ok=True)
        target.path.write_text(json.dumps({"training": {"recipe": first.order.recipe.digest}}))
    assert first.complete()
    assert not task(lr=2e-4).complete()
    first.output()[0].path.write_text("{")
    assert not first.complete()


def test_a_folder_without_pairs_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="expected a folder with"):
        _ = TrainCycleGAN(dataset_folder=str(tmp_path)).order
    with pytest.raises(SettingsError, match=r"no \[\[domains.sources\]\]"):
        _ = TrainCycleGAN().order


def test_from_the_command_line_to_weights(here):
    options = (*TINY, "--dataset-folder", ".", "--folder", "out", "--suffix", "full")
    done = run(here, *options)
    assert done.returncode == 0, done.stderr
    card = json.loads((here / "out" / "genpv2l8cycle_2_2_full.json").read_text())
    assert len(list((here / "out").glob("*.safetensors"))) == 4
    assert card["training"]["steps"] == 6
    assert list(here.glob("work/cyclegan/cycle_2_2_full_*/logs/events*"))
    again = run(here, *options)
    assert "complete ones were encountered" in again.stderr


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_sha256(here):
    """As a user would: kill -9 in the middle, the same command again."""
    options = (*TINY, "--dataset-folder", ".", "--epochs", "40", "--folder")
    assert run(here, *options, "whole").returncode == 0
    (work,) = here.glob("work/cyclegan/*")
    work.rename(here / "kept")
    recipe = next(here.glob("work/recipes/*.json"))
    command = [sys.executable, "-m", "nndacss.cyclegan", str(recipe), "--work", "work"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.DEVNULL) as child:
        until = time.monotonic() + 120
        while not (work / "last.ckpt").exists() and time.monotonic() < until:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    assert (work / "last.ckpt").exists()
    assert not (work / "stage.json").exists()
    done = run(here, *options, "resumed")
    assert done.returncode == 0, done.stderr
    for path in (here / "whole").glob("*.safetensors"):
        assert path.read_bytes() == (here / "resumed" / path.name).read_bytes()


def test_the_chain_of_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clouds = TrainCloudNet(config=SMALL)
    patches = clouds.requires()
    assert isinstance(patches, MakeCycleGANDataset)
    assert clouds.order.recipe.inputs == {"domains": patches.recipe}
    made = MakeCycleGANDataset(config=SMALL)
    assert made.order.recipe.digest == patches.recipe
    assert made.store.name == "domains.h5"
    gan = TrainCycleGAN(config=SMALL, segmentation_consistency_lmbda=0.0)
    (needed,) = gan.requires().requires()
    assert needed.recipe == patches.recipe
    experiment = TransferExperiment(config=SMALL)
    tasks = experiment.requires()
    assert {type(task) for task in tasks} == {MakeCycleGANDataset, TrainCloudNet}
    assert tasks[0].recipe != patches.recipe
    assert {task.requires().recipe for task in tasks[1:]} == {patches.recipe}
    assert not experiment.complete()
    assert isinstance(experiment, luigi.Task)


def test_the_tasks_import_nothing_heavy():
    code = "import sys, tasks.transfer; print({'torch', 'numpy', 'h5py'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["probav.toml", "probav_small.toml"])
def test_bundled_configs_are_valid(name):
    settings = load_settings(Path(ROOT) / "configs" / name)
    assert settings["domains"].changed()
    assert settings["transfer"].changed()
