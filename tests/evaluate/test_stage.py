"""What a trained model has seen, from its recipe and store; and that changed data are refused."""

import json

import pytest

from nndacss.errors import DatasetError, SettingsError
from nndacss.evaluate.stage import evaluate_model, exposure
from nndacss.identity import Order, Recipe
from nndacss.stage import DONE, Context, stage_folder
from tests.models.small import save_small
from tests.train.stores import make_store

TEST = {"kind": "twin", "name": "drawn", "first": 7, "count": 2, "side": 32, "metres": [30]}


def context(work, order, threads=1):
    order.save(work)
    return Context(order, work, work / "out", threads)


@pytest.fixture
def trained(tmp_path):
    """The exposure of a model: a store of two data sets of six scenes, one in folds."""
    samples = Order(Recipe("samples", 1, {}, {}), "samples")
    samples.save(tmp_path)
    make_store(stage_folder(tmp_path, samples) / "samples.h5", side=32)

    def of(**settings):
        train = Order(
            Recipe("train", 1, {"train": settings}, {"samples": samples.recipe.digest}), "m"
        )
        train.save(tmp_path)
        inputs = {"train": train.recipe.digest}
        return exposure(context(tmp_path, Order(Recipe("evaluate", 1, {}, inputs), "m")))

    return of


def test_folds_leave_out_each_scene_once(trained):
    seen = [trained(folds=3, fold=fold, batch=2) for fold in range(3)]
    left_out = [scene for exposed in seen for scene in exposed.left_out]
    assert sorted(left_out) == [f"biome_chips-{number}" for number in range(6)]
    for exposed in seen:
        assert len(exposed.left_out) == 2
        assert not exposed.left_out & exposed.trained
        # scenes that only watched the fit count as seen
        assert {f"twin-{number}" for number in range(6)} < exposed.trained


def test_without_folds_nothing_is_left_out(trained):
    exposed = trained(batch=2)
    assert exposed.left_out is None
    assert len(exposed.trained) == 12


def order_of(card, **changes):
    from nndacss.evaluate.plan import TestPlan
    from nndacss.settings import build

    tests = TestPlan(build({"evaluate": {"test": [TEST | changes]}}, "test"))
    return tests.order("small", {"kind": "weights"}, location={"weights": str(card)})


def test_the_whole_stage(tmp_path):
    made = context(tmp_path, order_of(save_small(tmp_path)))
    summary = evaluate_model(made)
    found = json.loads((made.folder / "counts.json").read_text())
    assert summary["drawn"]["samples"] == 2
    assert found["data"]["drawn"]["simulated"]
    assert [record["scene"] for record in found["samples"]] == ["twin-7", "twin-8"]
    for record in found["samples"]:
        confusion = record["counts"]["confusion"]
        assert sum(map(sum, confusion)) == record["labelled"] == 32 * 32
    assert all((made.folder / shown["file"]).is_file() for shown in found["data"]["drawn"]["worst"])
    assert not (made.folder / DONE).exists()  # the frame's to write


def test_data_that_changed_since_planning_are_refused(tmp_path):
    order = order_of(save_small(tmp_path))
    inputs = {"test:drawn": "0" * 64}
    other = Order(Recipe("evaluate", 1, order.recipe.settings, inputs), "m", order.location)
    with pytest.raises(DatasetError, match="other files than when the task was planned"):
        evaluate_model(context(tmp_path, other))


def test_no_test_data():
    from nndacss.evaluate.plan import TestPlan
    from nndacss.settings import build

    with pytest.raises(SettingsError, match="nothing to score on"):
        TestPlan(build({}, "test"))
