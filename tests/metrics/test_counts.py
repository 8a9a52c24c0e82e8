"""Counts and scores against numbers worked by hand and against torchmetrics."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndacss.errors import DatasetError
from nndacss.labels.sets import from_labels, of
from nndacss.metrics.counts import Counts, Tally, count, total, without_borders
from nndacss.metrics.scores import METRICS, overall_accuracy, spread
from nndacss.models.torchvision_fix import ensure_torchvision

CLASSES = ("clear", "shadow", "snow", "cloud")


def test_partly_annotated_pixels_by_hand():
    """Biome's "clear" may hide shadow and snow; one row of ten pixels, worked on paper."""
    not_cloud = of(0, 1, 2)
    sets = np.array([[8, 8, 8, 8, not_cloud, not_cloud, not_cloud, 2, 1, 0]], dtype=np.uint16)
    said = np.array([[3, 3, 0, 255, 3, 1, 0, 1, 1, 3]], dtype=np.uint8)
    counts = count(sets, said, CLASSES)
    # cloud: hits 2; misses 2 (clear, nothing said); false 1; others 4 (the unlabelled is out)
    assert counts["cloud"] == Tally(tp=2, fp=1, fn=2, tn=4)
    # shadow: only the pixel that is surely shadow is positive; sets with shadow do not count
    assert counts["shadow"] == Tally(tp=1, fp=1, fn=0, tn=4)
    # clear: surely clear once (missed); surely not in 4 cloud and 1 shadow pixels, 1 said clear
    assert counts["clear"] == Tally(tp=0, fp=1, fn=1, tn=4)
    assert counts["snow"] == Tally(tp=0, fp=0, fn=0, tn=6)
    assert counts.confusion == (
        (0, 1, 0, 0, 0),
        (0, 1, 0, 0, 0),
        (0, 0, 0, 0, 0),
        (1, 0, 0, 2, 1),
    )
    assert METRICS["iou"](counts["cloud"]) == 2 / 5
    assert METRICS["f1"](counts["cloud"]) == 4 / 7
    assert METRICS["precision"](counts["cloud"]) == 2 / 3
    assert METRICS["recall"](counts["cloud"]) == 0.5
    assert METRICS["balanced_accuracy"](counts["cloud"]) == (0.5 + 0.8) / 2
    assert METRICS["accuracy"](counts["cloud"]) == 6 / 9
    assert overall_accuracy(counts) == 3 / 6


def test_what_is_not_decided_is_none():
    never = Tally(tp=0, fp=3, fn=0, tn=7)
    assert [METRICS[name](never) for name in ("iou", "f1", "recall", "balanced_accuracy")] == [
        None
    ] * 4
    assert METRICS["precision"](never) == 0
    assert METRICS["specificity"](never) == 0.7
    assert all(metric(Tally()) is None for metric in METRICS.values())
    assert overall_accuracy(Counts.zero(CLASSES)) is None
    assert spread([None]).mean is None
    assert spread([0.5]).deviation is None


@pytest.fixture
def image():
    """Truth and a prediction that is right in about 7 of 10 pixels."""
    random = np.random.default_rng(4)
    truth = random.integers(0, 4, (64, 48)).astype(np.uint8)
    wrong = random.integers(0, 4, truth.shape).astype(np.uint8)
    return truth, np.where(random.random(truth.shape) < 0.6, truth, wrong)


def test_scores_equal_torchmetrics(image):
    ensure_torchvision()
    import torch
    from torchmetrics.functional import classification as peer

    truth, said = image
    counts = count(from_labels(truth), said, CLASSES)
    arguments = (torch.from_numpy(said), torch.from_numpy(truth))
    expected = {
        "iou": peer.multiclass_jaccard_index(*arguments, num_classes=4, average="none"),
        "f1": peer.multiclass_f1_score(*arguments, num_classes=4, average="none"),
        "precision": peer.multiclass_precision(*arguments, num_classes=4, average="none"),
        "recall": peer.multiclass_recall(*arguments, num_classes=4, average="none"),
        "specificity": peer.multiclass_specificity(*arguments, num_classes=4, average="none"),
    }
    for name, values in expected.items():
        ours = [METRICS[name](counts[k]) for k in CLASSES]
        assert ours == pytest.approx(values.tolist(), abs=1e-6), name
    matrix = peer.multiclass_confusion_matrix(*arguments, num_classes=4)
    assert [list(row[:4]) for row in counts.confusion] == matrix.tolist()
    right = peer.multiclass_accuracy(*arguments, num_classes=4, average="micro")
    assert overall_accuracy(counts) == pytest.approx(float(right), abs=1e-6)


@given(st.integers(0, 64), st.integers(0, 48), st.integers(0, 2**32 - 1))
def test_counts_of_pieces_add_to_the_whole(row, column, seed):
    random = np.random.default_rng(seed)
    sets = random.integers(0, 16, (64, 48)).astype(np.uint16)
    said = random.choice(np.array([0, 1, 2, 3, 255], dtype=np.uint8), sets.shape)
    pieces = [
        count(sets[rows, columns], said[rows, columns], CLASSES)
        for rows in (slice(0, row), slice(row, None))
        for columns in (slice(0, column), slice(column, None))
    ]
    whole = count(sets, said, CLASSES)
    assert total(pieces, CLASSES) == whole
    assert Counts.from_json(json.loads(json.dumps(whole.to_json(), sort_keys=True))) == whole


def test_where_leaves_pixels_out(image):
    truth, said = image
    where = np.zeros(truth.shape, dtype=bool)
    where[:10] = True
    assert count(from_labels(truth), said, CLASSES, where) == count(
        from_labels(truth[:10]), said[:10], CLASSES
    )


def test_other_schemes_and_sizes_are_refused(image):
    truth, said = image
    with pytest.raises(DatasetError, match="code 7"):
        count(from_labels(truth), np.full_like(said, 7), CLASSES)
    with pytest.raises(DatasetError, match="another label scheme"):
        count(from_labels(truth) << np.uint16(4), said, CLASSES)
    with pytest.raises(DatasetError, match="own size"):
        count(from_labels(truth), said[:-1], CLASSES)
    with pytest.raises(ValueError, match="do not add"):
        Counts.zero(CLASSES) + Counts.zero(("a",))


def test_borders_are_left_out_by_hand():
    sets = np.array([[1, 1, 1, 8, 8, 8, 0, 0, 1]], dtype=np.uint16)
    assert without_borders(sets, 1).tolist() == [[1, 1, 0, 0, 8, 8, 0, 0, 1]]
    assert without_borders(sets, 2).tolist() == [[1, 0, 0, 0, 0, 8, 0, 0, 1]]
    assert without_borders(sets, 0) is sets
