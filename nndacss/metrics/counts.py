"""What a prediction got right and wrong, in pixels.

Annotation may be partial, so truth is a label set per pixel (`nndacss.labels.sets`). For class k a
pixel is positive where its set is exactly {k}, negative where k is not in the set, and else not
scored for k. The confusion matrix holds the pixels whose set has exactly one class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from nndacss.errors import DatasetError, complain
from nndacss.labels import NODATA
from nndacss.labels.sets import Sets


@dataclass(frozen=True)
class Tally:
    """Pixels of one class."""

    tp: int = 0
    """The class, and said to be."""
    fp: int = 0
    """Not the class, but said to be."""
    fn: int = 0
    """The class, but said to be another, or nothing."""
    tn: int = 0
    """Not the class, and not said to be."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)


@dataclass(frozen=True)
class Counts:
    """All that is needed for every score; adds up exactly."""

    classes: tuple[str, ...]
    tallies: tuple[Tally, ...]
    """One a class."""
    confusion: tuple[tuple[int, ...], ...]
    """A row a true class, a column a predicted class, and a last column for no prediction."""

    @classmethod
    def zero(cls, classes: Sequence[str]) -> Counts:
        """Nothing counted yet."""
        row = (0,) * (len(classes) + 1)
        return cls(tuple(classes), (Tally(),) * len(classes), (row,) * len(classes))

    def __add__(self, other: Counts) -> Counts:
        if self.classes != other.classes:
            raise ValueError(f"counts of classes {self.classes} and {other.classes} do not add")
        confusion = tuple(
            tuple(a + b for a, b in zip(mine, theirs, strict=True))
            for mine, theirs in zip(self.confusion, other.confusion, strict=True)
        )
        pairs = zip(self.tallies, other.tallies, strict=True)
        return Counts(self.classes, tuple(a + b for a, b in pairs), confusion)

    def __getitem__(self, name: str) -> Tally:
        return self.tallies[self.classes.index(name)]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: class names, per class `[tp, fp, fn, tn]`, and the confusion matrix."""
        return {
            "classes": list(self.classes),
            "tallies": [[tally.tp, tally.fp, tally.fn, tally.tn] for tally in self.tallies],
            "confusion": [list(row) for row in self.confusion],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counts:
        """What `to_json` wrote."""
        tallies = tuple(Tally(*(int(n) for n in numbers)) for numbers in data["tallies"])
        confusion = tuple(tuple(int(n) for n in row) for row in data["confusion"])
        return cls(tuple(data["classes"]), tallies, confusion)


def total(counts: Iterable[Counts], classes: Sequence[str]) -> Counts:
    """Sum of any number of counts, also of none."""
    return sum(counts, start=Counts.zero(classes))


def count(
    sets: Sets,
    labels: NDArray[np.uint8],
    classes: Sequence[str],
    where: NDArray[np.bool_] | None = None,
) -> Counts:
    """Compare predicted `labels` (rows, columns; 255 says nothing) with the truth's `sets`.

    Only pixels of `where` count (default: all). Saying nothing about a labelled pixel is no way
    to a better score: it is not a hit. DatasetError on another size, or on codes that are no class.
    """
    if sets.shape != labels.shape:
        remedy = "predict the sample at its own size"
        raise DatasetError(complain("labels", str(labels.shape), f"size {sets.shape}", remedy))
    used = sets != 0 if where is None else (sets != 0) & where
    joint = sets[used].astype(np.int64) * 256 + labels[used]
    values, numbers = np.unique(joint, return_counts=True)
    size = len(classes)
    tallies = np.zeros((size, 4), dtype=np.int64)
    confusion = np.zeros((size, size + 1), dtype=np.int64)
    for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
        bits, said = divmod(value, 256)
        _check(bits, said, size)
        column = size if said == NODATA else said
        for k in range(size):
            if bits == 1 << k:
                tallies[k, 0 if said == k else 2] += number
                confusion[k, column] += number
            elif not bits >> k & 1:
                tallies[k, 1 if said == k else 3] += number
    rows = tuple(tuple(row) for row in confusion.tolist())
    return Counts(tuple(classes), tuple(Tally(*row) for row in tallies.tolist()), rows)


def _check(bits: int, said: int, size: int) -> None:
    expected = f"classes 0 to {size - 1} or {NODATA}"
    if said >= size and said != NODATA:
        remedy = "the model is of another label scheme"
        raise DatasetError(complain("predicted labels", f"code {said}", expected, remedy))
    if bits >> size:
        remedy = "the data are of another label scheme"
        raise DatasetError(complain("label sets", f"set {bits:#b}", expected, remedy))


def without_borders(sets: Sets, tolerance: int) -> Sets:
    """The sets, unlabelled within `tolerance` pixels of where they change.

    Borders drawn by hand are good to a pixel or two; this shows how much of a score they cost.
    A border to unlabelled pixels is none.
    """
    if tolerance == 0:
        return sets
    side = 2 * tolerance + 1
    high = maximum_filter(sets, side, mode="nearest")
    low = minimum_filter(np.where(sets == 0, np.uint16(65535), sets), side, mode="nearest")
    return np.where(high == low, sets, np.uint16(0)).astype(np.uint16)
