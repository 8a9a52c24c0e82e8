"""What is counted and compared: clouds told against the truth, and bands of two sensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.domains.source import BANDS
from nndacss.raster import Pixels

#: Points of the distributions that are compared, as shares.
_SHARES = np.linspace(0.0005, 0.9995, 1000)


@dataclass(frozen=True)
class Counts:
    """Pixels by truth and finding, a row a scene.

    Columns: clear told clear, clear told cloud, cloud told clear, cloud told cloud.
    """

    scenes: tuple[str, ...]
    values: NDArray[np.int64]
    """(scenes, 4)"""

    @classmethod
    def of(cls, scenes: Sequence[str], values: Sequence[NDArray[np.int64]]) -> Counts:
        """Of patches, summed up by scene."""
        names = tuple(sorted(set(scenes)))
        sums = np.zeros((len(names), 4), dtype=np.int64)
        for scene, value in zip(scenes, values, strict=True):
            sums[names.index(scene)] += value
        return cls(names, sums)

    def scores(self) -> dict[str, float]:
        """See `scores`."""
        return scores(self.values.sum(axis=0))

    def interval(self, word: str, draws: int, seed: int) -> tuple[float, float]:
        """95 % interval of a score by bootstrap over scenes."""
        draw = np.random.default_rng(seed)
        chosen = draw.integers(len(self.scenes), size=(draws, len(self.scenes)))
        found = [scores(self.values[rows].sum(axis=0))[word] for rows in chosen]
        low, high = np.nanpercentile(found, (2.5, 97.5))
        return float(low), float(high)


def count(probability: Pixels, share: Pixels, threshold: float) -> NDArray[np.int64]:
    """The four counts of one image (see `Counts`); pixels whose truth is unknown do not count."""
    known = np.isfinite(share) & np.isfinite(probability)
    pairs = 2 * (share[known] >= threshold) + (probability[known] >= threshold)
    counts: NDArray[np.int64] = np.bincount(pairs.astype(np.intp), minlength=4).astype(np.int64)
    return counts


def scores(counts: NDArray[np.int64]) -> dict[str, float]:
    """Overall accuracy, and per class intersection over union, recall and precision; NaN for 0/0.

    >>> found = scores(np.array([50, 10, 5, 35]))
    >>> found["accuracy"], found["iou_cloud"], round(found["recall_cloud"], 3)
    (0.85, 0.7, 0.875)
    """
    clear, wrong, missed, cloud = (float(value) for value in counts)
    total = clear + wrong + missed + cloud
    result = {"accuracy": _share(clear + cloud, total)}
    for word, hit, found, true in (
        ("clear", clear, clear + missed, clear + wrong),
        ("cloud", cloud, cloud + wrong, cloud + missed),
    ):
        result[f"iou_{word}"] = _share(hit, found + true - hit)
        result[f"recall_{word}"] = _share(hit, true)
        result[f"precision_{word}"] = _share(hit, found)
    return result


def distances(first: Pixels, second: Pixels) -> dict[str, float]:
    """Band -> Wasserstein distance between two sets of values (n, 4) each, in reflectance.

    Mean difference between equal quantiles: 0.01 says that values would have to move by 0.01 in
    the mean for one distribution to become the other.
    """
    return {
        band: float(
            np.abs(
                np.quantile(first[:, number], _SHARES) - np.quantile(second[:, number], _SHARES)
            ).mean()
        )
        for number, band in enumerate(BANDS)
    }


def means(values: Mapping[str, float]) -> float:
    """Of the bands."""
    return float(np.mean(list(values.values())))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
