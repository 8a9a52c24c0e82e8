"""Variations of a pair: another place in it, another turn of it, another pan, a scene's border.

All chance comes from the generator that is passed in.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.harmonizer.settings import AugmentSettings
from nndacss.pairs.store import to_reflectance
from nndacss.raster import Pixels
from nndacss.train.augment import turn, wedge

Counts = NDArray[np.int16]


def augment(
    inputs: Counts, target: Counts, crop: int, settings: AugmentSettings, rng: Generator
) -> tuple[Pixels, Pixels]:
    """One variation of stored input (7, side, side) and target (6, side, side).

    Both results are contiguous float32 reflectance of side `crop`, NaN missing. The window begins
    at an even row and column, so that 2 x 2 pixels of a 20 m truth stay together; turns keep that,
    since sides are even.
    """
    steps = (inputs.shape[-1] - crop) // 2 + 1
    top, left = (2 * int(place) for place in rng.integers(steps, size=2))
    cut = np.s_[:, top : top + crop, left : left + crop]
    inputs, target = inputs[cut], target[cut]
    if settings.flip:
        which = int(rng.integers(8))
        inputs, target = turn(inputs, which), turn(target, which)
    # read before changed: the arrays are copies from here on
    seen, truth = to_reflectance(inputs), np.ascontiguousarray(to_reflectance(target))
    gain = 1 + rng.uniform(-settings.pan_gain, settings.pan_gain)
    offset = rng.uniform(-settings.pan_offset, settings.pan_offset)
    seen[-1] = seen[-1] * np.float32(gain) + np.float32(offset)
    if rng.random() < settings.drop_pan_chance:
        seen[-1] = np.nan
    if rng.random() < settings.wedge_chance:
        seen[:, wedge(crop, settings.wedge, rng)] = np.nan
    return np.ascontiguousarray(seen), truth
