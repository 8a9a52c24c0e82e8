"""The recipe of a fit: what renames it and what does not; light enough for the scheduler."""

import subprocess
import sys

import pytest

from nndacss.errors import WeightsError
from nndacss.identity import Order, Recipe
from nndacss.train.plan import train_order
from nndacss.train.settings import TrainSettings

SAMPLES = Order(Recipe("samples", 1, {}, {"twin": "00"}), "small")


def digest(samples=SAMPLES, name="net", **changes):
    return train_order(samples, {"train": TrainSettings(**changes)}, name).recipe.digest


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 3}, {"seed": 1}, {"fold": 2}, {"share": {"twin": 0.5}}, {"crop": 192},
        {"augment": {"haze": 0.1}}, {"precision": "bf16-mixed"}, {"weights_dtype": "float16"},
        {"architecture": {"encoder": "resnet18"}},
    ],
)  # fmt: skip
def test_science_renames(changes):
    assert digest(**changes) != digest()


@pytest.mark.parametrize("changes", [{"workers": 3}, {"device": "cpu"}, {"name": "other"}])
def test_means_do_not(changes):
    assert digest(**changes) == digest()


def test_other_samples_rename():
    other = Order(Recipe("samples", 1, {}, {"twin": "01"}), "small")
    assert digest(samples=other) != digest()


def test_means_travel_in_the_order():
    order = train_order(SAMPLES, {"train": TrainSettings(workers=3)}, "net")
    assert order.location == {"workers": "3", "device": "auto"}
    assert order.recipe.inputs == {"samples": SAMPLES.recipe.digest}


def test_a_start_that_is_not_there():
    with pytest.raises(WeightsError, match="nowhere"):
        digest(start="nowhere")


def test_planning_imports_no_torch():
    code = (
        "import sys, nndacss.train.plan; print({'torch', 'lightning', 'h5py'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
