"""Scores of counts. What the counts do not decide is None, never 0 or 1.

A class that the truth never shows has no IoU, F1, recall or balanced accuracy: there was nothing
to find, and one false pixel would make the score 0. False alarms show in its precision and
specificity, and in the sums over all samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from nndacss.metrics.counts import Counts, Tally


def iou(tally: Tally) -> float | None:
    """Intersection over union, tp / (tp + fp + fn)."""
    return _ratio(tally.tp, tally.tp + tally.fp + tally.fn) if tally.tp + tally.fn else None


def f1(tally: Tally) -> float | None:
    """Harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn); also called Dice."""
    wrong = tally.fp + tally.fn
    return _ratio(2 * tally.tp, 2 * tally.tp + wrong) if tally.tp + tally.fn else None


def precision(tally: Tally) -> float | None:
    """How much of what it said is so, tp / (tp + fp)."""
    return _ratio(tally.tp, tally.tp + tally.fp)


def recall(tally: Tally) -> float | None:
    """How much of what is there it found, tp / (tp + fn)."""
    return _ratio(tally.tp, tally.tp + tally.fn)


def specificity(tally: Tally) -> float | None:
    """How much of the rest it left alone, tn / (tn + fp)."""
    return _ratio(tally.tn, tally.tn + tally.fp)


def balanced_accuracy(tally: Tally) -> float | None:
    """Mean of recall and specificity: guessing gives 0.5 however rare the class."""
    found, left = recall(tally), specificity(tally)
    return None if found is None or left is None else (found + left) / 2


def accuracy(tally: Tally) -> float | None:
    """Right pixels of all scored for the class; flatters rare classes."""
    right = tally.tp + tally.tn
    return _ratio(right, right + tally.fp + tally.fn)


#: Name in the settings -> score of one class.
METRICS: dict[str, Callable[[Tally], float | None]] = {
    "iou": iou,
    "f1": f1,
    "precision": precision,
    "recall": recall,
    "specificity": specificity,
    "balanced_accuracy": balanced_accuracy,
    "accuracy": accuracy,
}


def overall_accuracy(counts: Counts) -> float | None:
    """Pixels of the confusion matrix's diagonal of all in it."""
    right = sum(row[k] for k, row in enumerate(counts.confusion))
    return _ratio(right, sum(sum(row) for row in counts.confusion))


@dataclass(frozen=True)
class Spread:
    """A score that was measured several times (seeds, folds)."""

    mean: float | None
    """None where no run decides it."""
    deviation: float | None
    """Sample standard deviation; None with fewer than two runs."""
    runs: int
    """How many runs decide it."""


def spread(values: Iterable[float | None]) -> Spread:
    """Mean and deviation of the values that are decided.

    >>> spread([0.5, 0.75, None])
    Spread(mean=0.625, deviation=0.1767766952966369, runs=2)
    """
    known = [value for value in values if value is not None]
    mean = fmean(known) if known else None
    return Spread(mean, stdev(known) if len(known) > 1 else None, len(known))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
