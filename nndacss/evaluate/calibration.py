"""Whether a probability can be believed: of pixels that are 80 % sure, 80 in 100 should be right.

Counts first: whole numbers by bins of the likeliest class's probability, which add up over
samples and machines. Only pixels whose label names one class count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.labels import NODATA
from nndacss.labels.sets import Sets, to_labels
from nndacss.raster import Pixels

#: Probabilities are summed as whole numbers of this.
STEP = 1e-4
Bins = list[list[int]]
"""Per bin: pixels, those that are right, sum of their probability in `STEP`."""


def tally(sets: Sets, probability: Pixels, where: NDArray[np.bool_], bins: int) -> Bins:
    """Counts of one image in `bins` equal bins of 0..1.

    `sets` (rows, columns), `probability` (classes, rows, columns), NaN where nothing is said.
    """
    truth = to_labels(sets)
    used = where & (truth != NODATA) & ~np.isnan(probability[0])
    chosen = probability[:, used]
    sure = chosen.max(axis=0).astype(np.float64)
    right = chosen.argmax(axis=0) == truth[used]
    place = np.minimum((sure * bins).astype(np.intp), bins - 1)
    steps = np.rint(sure / STEP)
    columns = (
        np.bincount(place, minlength=bins),
        np.bincount(place, weights=right, minlength=bins),
        np.bincount(place, weights=steps, minlength=bins),
    )
    return [[int(value) for value in row] for row in zip(*columns, strict=True)]


def pooled(tallies: Iterable[Bins]) -> Bins:
    """The sum of some counts of as many bins."""
    listed = [np.asarray(one, dtype=np.int64) for one in tallies]
    return [[int(value) for value in row] for row in sum(listed[1:], listed[0])] if listed else []


def reliability(bins: Bins) -> list[dict[str, Any]]:
    """Per bin that holds pixels: its ends, how many, mean probability, and share that is right.

    >>> reliability([[0, 0, 0], [4, 3, 32000]])
    [{'low': 0.5, 'high': 1.0, 'pixels': 4, 'sure': 0.8, 'right': 0.75}]
    """
    count = len(bins)
    return [
        {
            "low": round(place / count, 6),
            "high": round((place + 1) / count, 6),
            "pixels": pixels,
            "sure": steps * STEP / pixels,
            "right": right / pixels,
        }
        for place, (pixels, right, steps) in enumerate(bins)
        if pixels
    ]


def expected_error(bins: Sequence[Sequence[int]]) -> float | None:
    """Expected calibration error: mean over pixels of |right - sure| of their bin; None of none.

    Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602.

    >>> round(expected_error([[0, 0, 0], [4, 3, 32000]]), 6)
    0.05
    """
    total = sum(pixels for pixels, _, _ in bins)
    if not total:
        return None
    return sum(abs(right - steps * STEP) for _, right, steps in bins) / total
