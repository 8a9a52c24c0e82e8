"""Evidence that moves odds between two classes and leaves all others as they are."""

from __future__ import annotations

import numpy as np

from nndacss.raster import Pixels

#: Probabilities are not divided by less.
_TINY = np.float32(1e-12)


def moved(probability: Pixels, gains: int, loses: int, evidence: Pixels) -> Pixels:
    """Probabilities where the log-odds of class `gains` against class `loses` grow by `evidence`.

    `probability` is (classes, rows, columns), `evidence` (rows, columns), NaN for none. What the
    two have together stays.
    """
    first, second = probability[gains], probability[loses]
    times = np.exp(np.nan_to_num(evidence, nan=0.0)).astype(np.float32)
    share = (first + second) / np.maximum(first * times + second, _TINY)
    result = probability.copy()
    result[gains] = first * times * share
    result[loses] = second * share
    return result
