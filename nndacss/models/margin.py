"""Clouds and shadows a little larger than a network draws them, for images of fine pixels.

A network that learned on pixels of 30 m draws outlines tighter than people do who see pixels of
10 m: of On Cloud N's clouds it finds hardly a pixel too many, and misses rims. A mask's
user grows the labels of a product besides, as wanted (`nndacss.mask.morphology`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.models.darkness import CLEAR, CLOUD, SHADOW
from nndacss.models.needs import check_needs
from nndacss.models.surroundings import large
from nndacss.raster import Pixels

#: Pixels below which a cloud or shadow is not widened: roofs and ponds pass for such small ones.
_SPECK = 50


def check(classes: Sequence[str]) -> None:
    """SettingsError where a network of these classes cannot have it."""
    check_needs("train.margin", ((CLEAR, SHADOW, CLOUD), ()), classes, (), "set it to 0")


def widened(
    probability: Pixels, there: NDArray[np.bool_], classes: Sequence[str], margin: int
) -> Pixels:
    """Probabilities of one tile where clouds, then shadows, reach `margin` pixels further.

    `probability` is (classes, rows, columns) with sum 1; `there` (rows, columns) where the image
    has pixels: what a network says elsewhere means nothing. A class rises to the largest of its
    probabilities in the square around, at the expense of clear ground alone. Specks do not grow.
    """
    result, clear = probability.copy(), classes.index(CLEAR)
    for word in (CLOUD, SHADOW):
        own = result[classes.index(word)]
        label = (probability.argmax(axis=0) == classes.index(word)) & there
        known = np.where(large(label, _SPECK), own, np.float32(0))
        largest = ndimage.maximum_filter(known, 2 * margin + 1, mode="nearest")
        gain = np.clip(largest - own, 0, result[clear])
        own += gain
        result[clear] -= gain
    return result
