"""Reliability: counts that add up, and an error worked by hand."""

import numpy as np
import pytest

from nndacss.evaluate.calibration import expected_error, pooled, reliability, tally
from nndacss.evaluate.score import quarter, score
from nndacss.evaluate.settings import EvaluateSettings, TestData
from tests.evaluate.plain import Plain, sample


def test_bins_of_a_small_image():
    """Four pixels: sure 0.9 right, 0.6 wrong, 0.6 right, one unlabelled, one without a value."""
    sets = np.array([[1, 1, 2, 0, 1]], dtype=np.uint16)
    first = np.array([[0.9, 0.4, 0.4, 0.9, np.nan]], dtype=np.float32)
    probability = np.stack([first, 1 - first])
    found = tally(sets, probability, np.ones((1, 5), dtype=bool), 4)
    assert found == [[0, 0, 0], [0, 0, 0], [2, 1, 12000], [1, 1, 9000]]
    rows = reliability(found)
    assert [(row["low"], row["pixels"], row["right"]) for row in rows] == [
        (0.5, 2, 0.5),
        (0.75, 1, 1),
    ]
    assert rows[0]["sure"] == pytest.approx(0.6)
    # |1 - 1.2| and |1 - 0.9| of three pixels
    assert expected_error(found) == pytest.approx(0.3 / 3)
    assert expected_error(pooled([found, found])) == expected_error(found)
    assert pooled([found, found])[2] == [4, 2, 24000]
    assert expected_error([]) is None


def test_ambiguous_labels_do_not_count():
    sets = np.array([[3, 1]], dtype=np.uint16)
    probability = np.full((2, 1, 2), 0.5, dtype=np.float32)
    assert sum(row[0] for row in tally(sets, probability, np.ones((1, 2), dtype=bool), 2)) == 1


class Half:
    """Half sure of clear everywhere."""

    def __init__(self):
        self.facts = {"name": "half", "classes": ["clear"], "training": {}}

    def predict(self, image, entry):
        self.probability = np.full((4, *image.sets.shape), 0.5 / 3, dtype=np.float32)
        self.probability[0] = 0.5
        self.labels = np.zeros(image.sets.shape, dtype=np.uint8)
        return self

    def __call__(self, image, entry):
        return np.zeros(image.sets.shape, dtype=np.uint8)


def test_it_is_counted_where_it_is_asked_for():
    data = Plain(samples=(sample("chip_20180714", [[0, 0, 3, -1]]),))
    for bins, expected in ((2, [[0, 0, 0], [3, 2, 15000]]), (None, None)):
        settings = EvaluateSettings(calibration=bins)
        (found,) = score(Half(), data, TestData(kind="plain"), settings, data.names()).samples
        assert found.get("calibration") == expected
        assert found["quarter"] == "Jul-Sep"


def test_dates_in_names():
    assert quarter("32PPA_03_20180101") == {"quarter": "Jan-Mar"}
    assert quarter("32PPA_03_20181231") == {"quarter": "Oct-Dec"}
    assert quarter("LC80170512015_42") == quarter("a_20181301") == quarter("a_2018010") == {}
