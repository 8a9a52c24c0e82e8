"""Scoring against counts made on paper, and what may not be scored."""

from dataclasses import replace

import numpy as np
import pytest

from nndacss.errors import DatasetError
from nndacss.evaluate.models import Unsuited
from nndacss.evaluate.score import Exposure, error_rate, held_out, score
from nndacss.evaluate.settings import EvaluateSettings, TestData
from nndacss.evaluate.stage import trained_on
from nndacss.metrics.counts import Counts
from nndacss.samples.split import folds
from tests.evaluate.plain import CLEAR, CLOUD, Constant, Plain, sample

ENTRY = TestData(kind="plain", name="test")
FOLDED = TestData(kind="plain", name="test", cross_validated=True)


@pytest.fixture
def data():
    return Plain(
        samples=(
            sample("a1", [CLOUD, CLOUD, CLEAR, -1]),
            sample("b1", [CLEAR, CLEAR, CLEAR, CLEAR]),
            sample("c1", [CLOUD, CLEAR, CLEAR, CLEAR]),
        )
    )


def test_counts_of_each_sample_by_hand(data):
    result = score(Constant(CLOUD), data, ENTRY, EvaluateSettings(worst=2), data.names())
    clouds = [Counts.from_json(record["counts"])["cloud"] for record in result.samples]
    assert [(t.tp, t.fp, t.fn, t.tn) for t in clouds] == [(2, 1, 0, 0), (0, 4, 0, 0), (1, 3, 0, 0)]
    assert [record["labelled"] for record in result.samples] == [3, 4, 4]
    # all of b1 is wrong, three quarters of c1, a third of what is labelled in a1
    assert [(shown.name, shown.error) for shown in result.worst] == [("b1", 1.0), ("c1", 0.75)]
    assert error_rate(data.samples[0], np.full((1, 4), CLOUD, np.uint8)) == 1 / 3
    assert error_rate(data.samples[0], np.full((1, 4), 255, np.uint8)) == 1


def test_a_pixel_that_lacks_a_band_counts_for_nobody(data):
    data.samples[0].pixels[2, 0, 1] = np.nan
    result = score(Constant(CLOUD), data, ENTRY, EvaluateSettings(), ["a1"])
    cloud = Counts.from_json(result.samples[0]["counts"])["cloud"]
    assert (cloud.tp, cloud.fp) == (1, 1)
    assert result.samples[0]["labelled"] == 2


def test_borders_are_scored_apart(data):
    settings = EvaluateSettings(tolerance=1)
    record = score(Constant(CLOUD), data, ENTRY, settings, ["c1"]).samples[0]
    assert Counts.from_json(record["counts"])["cloud"].fp == 3
    assert Counts.from_json(record["edgeless"])["cloud"].fp == 2


def test_strata_are_scored_apart_by_hand(data):
    first = data.samples[0]  # cloud, cloud, clear, unlabelled
    water = np.array([[True, False, True, True]])
    told = replace(first, strata={"water": water, "snow_below": ~water})
    data = Plain(samples=(told, *data.samples[1:]))
    records = score(Constant(CLOUD), data, ENTRY, EvaluateSettings(), ["a1", "b1"]).samples
    apart = {name: Counts.from_json(part) for name, part in records[0]["strata"].items()}
    assert (apart["water"]["cloud"].tp, apart["water"]["cloud"].fp) == (1, 1)
    assert (apart["snow_below"]["cloud"].tp, apart["snow_below"]["cloud"].fp) == (1, 0)
    whole = Counts.from_json(records[0]["counts"])
    assert apart["water"] + apart["snow_below"] == whole
    assert "strata" not in records[1]


def test_a_stratum_of_another_size_is_refused(data):
    told = replace(data.samples[0], strata={"water": np.ones((2, 4), dtype=bool)})
    with pytest.raises(DatasetError, match=r"a1, stratum water: found \(2, 4\); expected size"):
        score(Constant(CLOUD), Plain(samples=(told,)), ENTRY, EvaluateSettings(), ["a1"])


def test_a_model_that_cannot_is_told_and_not_scored(data):
    class Blind(Constant):
        def __call__(self, sample, entry):
            raise Unsuited("needs near infrared")

    result = score(Blind(CLOUD), data, ENTRY, EvaluateSettings(), data.names())
    assert result.unsuited == "needs near infrared"
    assert result.samples == []


def test_every_scene_is_scored_by_the_fold_that_left_it_out(data):
    places = folds([data.scene(name) for name in data.names()], 3, seed=0)
    scored = []
    for fold in range(3):
        out = frozenset(scene for scene, place in places.items() if place == fold)
        rest = frozenset(places) - out
        scored += held_out(data, FOLDED, Exposure(rest, out))
    assert sorted(scored) == ["a1", "b1", "c1"]


def test_what_was_trained_on_is_refused(data):
    with pytest.raises(DatasetError, match=r"1 scenes that the model .* e\.g\. scene-b"):
        held_out(data, ENTRY, Exposure(frozenset({"scene-b"})))
    # marked as cross-validated, but the model has no fold
    with pytest.raises(DatasetError, match="trained on"):
        held_out(data, FOLDED, Exposure(frozenset({"scene-b"})))
    assert held_out(data, FOLDED, Exposure()) == ["a1", "b1", "c1"]


def test_weights_are_not_scored_on_the_data_of_their_card():
    model = Constant(CLOUD)
    model.facts = {**model.facts, "training": {"data": {"biome_chips": {"samples": 31}}}}
    assert trained_on(model, TestData(kind="biome_chips", name="biome")) == (
        "was trained on biome_chips"
    )
    assert trained_on(model, TestData(kind="sentinel2_chips")) == ""
