"""The mask that a training image is composed with: from label sets, and wrong ones on purpose.

A training image is composed with its true labels, so a network could learn where a composition
changes instead of what clouds are. Masks that are grown, or another image's, take that away.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of

Labels = NDArray[np.uint8]

_CLOUD, _SHADOW, _SNOW = (
    np.uint16(of(code)) for code in (Climate.CLOUD, Climate.SHADOW, Climate.SNOW)
)


def from_sets(sets: Sets) -> Labels:
    """(rows, columns) codes of `nndacss.labels.climate`, one a pixel, none of them nodata.

    Where a set leaves it open: what may be cloud is cloud, since no network harmonizes clouds.
    Shadow and snow are only what can be nothing else: where nobody marked shadows, all ground may
    be shadow, and it is ground. So is what has no label.

    >>> from_sets(np.array([[8, 9, 2, 7, 4, 5, 0]], dtype=np.uint16)).tolist()
    [[3, 3, 1, 0, 2, 0, 0]]
    """
    chosen = np.select(
        [(sets & _CLOUD) != 0, sets == _SHADOW, sets == _SNOW],
        [Climate.CLOUD, Climate.SHADOW, Climate.SNOW],
        Climate.CLEAR,
    )
    return chosen.astype(np.uint8)


def dilated(labels: Labels, limit: float, rng: Generator) -> Labels:
    """Cloud and shadow grown over clear ground and snow, by 0 to `limit` pixels, drawn.

    Ground becomes what the nearest structure is. Without cloud and shadow, as it was.
    """
    structure = (labels == Climate.CLOUD) | (labels == Climate.SHADOW)
    distance = rng.uniform(0, limit)
    if not structure.any():
        return labels
    away, nearest = distance_transform_edt(~structure, return_indices=True)
    return np.where(away <= distance, labels[tuple(nearest)], labels).astype(np.uint8)
