"""What land cover adds to an experiment: one fold alone, quarters of the year, calibration."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from nndacss.experiment.plan import _folds, plan_experiment
from nndacss.experiment.results import Result
from nndacss.experiment.settings import ExperimentSettings
from nndacss.experiment.tables import calibrations, in_order, mean_iou, quarters
from nndacss.labels.land_cover import SCHEME
from nndacss.metrics.counts import Counts, Tally
from tests.datasets.eurosat_files import eurosat
from tests.datasets.examples import landcovernet

CLASSES = ["water", "woody"]


def counts(right, wrong):
    """`right` pixels of both classes found, `wrong` ones of water called woody."""
    water, woody = Tally(right, 0, wrong, right), Tally(right, wrong, 0, right)
    confusion = ((right, wrong, 0), (0, right, 0))
    return Counts(tuple(CLASSES), (water, woody), confusion).to_json()


def result():
    """Three images of two quarters, one without a date."""
    records = [
        {"name": "a_20180101", "quarter": "Jan-Mar", "counts": counts(4, 0)},
        {"name": "a_20180801", "quarter": "Jul-Sep", "counts": counts(2, 2)},
        {"name": "b_20180802", "quarter": "Jul-Sep", "counts": counts(2, 0)},
        {"name": "undated", "counts": counts(9, 9)},
    ]
    records[0]["calibration"] = [[0, 0, 0], [4, 4, 36000]]
    records[1]["calibration"] = [[2, 0, 6000], [2, 1, 14000]]
    told = {"model": {"classes": CLASSES}, "samples": [{**r, "data": "d"} for r in records]}
    return Result("k", "m", "variant", 0, None, Path(), "00", told, {})


def test_quarters_are_pooled_before_they_are_scored():
    first, second = quarters("m", "d", [result()], CLASSES)
    assert (first["quarter"], first["samples"], first["overall_accuracy"]) == ("Jan-Mar", 1, 1.0)
    assert (second["quarter"], second["samples"]) == ("Jul-Sep", 2)
    # water: 4 found, 2 missed; woody: 4 found, 2 too many
    assert second["iou"] == {"water": 4 / 6, "woody": 4 / 6}
    assert second["overall_accuracy"] == 8 / 10
    assert second["mean_iou"] == pytest.approx(4 / 6)


def test_calibration_is_pooled():
    (row,) = calibrations("m", "d", [result()])
    # bins: 2 pixels, 0 right, sure 0.6; 6 pixels, 5 right, sure 5.0
    assert row["error"] == pytest.approx((0.6 + 0.0) / 8)
    assert [one["pixels"] for one in row["bins"]] == [2, 6]
    assert list(calibrations("m", "d", [])) == []


def test_classes_that_the_truth_never_shows_are_not_in_the_mean():
    known = Counts.from_json(counts(1, 0))
    assert mean_iou(known, CLASSES) == 1.0
    nothing = Counts.zero(CLASSES)
    assert mean_iou(nothing, CLASSES) is None


def test_land_cover_keeps_its_order_and_climate_shows_the_ground_last():
    assert in_order(set(SCHEME.classes), SCHEME.classes) == list(SCHEME.classes)
    climate = ["clear", "shadow", "snow", "cloud"]
    assert in_order(set(climate), climate) == ["cloud", "snow", "shadow", "clear"]


def test_some_folds_alone():
    assert list(_folds(ExperimentSettings())) == [None]
    assert list(_folds(ExperimentSettings(folds=3))) == [0, 1, 2]
    assert list(_folds(ExperimentSettings(folds=10, only=(0,)))) == [0]
    for wrong in ({"only": (0,)}, {"folds": 3, "only": (3,)}, {"folds": 3, "only": ()}):
        with pytest.raises(ValidationError, match=r"some of the folds|no folds to choose"):
            ExperimentSettings(**wrong)


CONFIG = """
[samples]
roles = ["blue", "green", "red", "nir"]
finest = 10.0
[[samples.datasets]]
kind = "landcovernet"
folder = "{land}"
[train]
cross_validated = ["landcovernet"]
indices = ["ndvi"]
transfer = {{ encoder = "pretrained" }}
[[pretrain.datasets]]
kind = "eurosat"
folder = "{patches}"
[[evaluate.test]]
kind = "landcovernet"
folder = "{land}"
cross_validated = true
[experiment]
folds = 2
only = [1]
[[experiment.variants]]
name = "pretrained"
[[experiment.variants]]
name = "random"
set.train.transfer.encoder = ""
"""


def test_a_plan_with_an_encoder_that_learns_first(tmp_path):
    land, patches = landcovernet(tmp_path / "land"), eurosat(tmp_path / "patches")
    config = tmp_path / "a.toml"
    config.write_text(CONFIG.format(land=land["folder"], patches=patches["folder"]))
    first, second = plan_experiment(config).runs
    stages = [order.recipe.stage for order in first.needs]
    assert stages == ["samples", "pretrain", "samples", "train"] or stages == [
        "samples",
        "samples",
        "pretrain",
        "train",
    ]
    train, pretrain = first.needs[-1].recipe, first.needs[stages.index("pretrain")].recipe
    assert train.inputs["pretrain"] == pretrain.digest
    assert set(pretrain.inputs) == {"samples"}
    assert pretrain.inputs["samples"] != train.inputs["samples"]
    assert (train.settings["train"]["fold"], first.fold) == (1, 1)
    assert [order.recipe.stage for order in second.needs] == ["samples", "train"]
    assert second.needs[0].recipe.digest == train.inputs["samples"]
