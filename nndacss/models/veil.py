"""Thin cloud by haze: ground hazier than the clear ground around it is likelier under a cloud.

The log-odds of cloud against clear ground grow by `slope` times (lift - start), within limits. Lift
is the haze optimized transform less its Gaussian mean over what is clear by the network's own word
and not near a cloud. It counts for cloud beside clouds alone. Of snow and shadow nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.models.darkness import CLEAR, CLOUD
from nndacss.models.haze import BANDS, Haze
from nndacss.models.odds import moved
from nndacss.models.surroundings import large, smooth
from nndacss.raster import Pixels

#: Of red that is taken from blue: Fmask's haze test (Zhu and Woodcock 2012).
_RED = np.float32(0.5)


def veiled(
    probability: Pixels, pixels: Pixels, roles: Sequence[str], classes: Sequence[str], haze: Haze
) -> Pixels:
    """Probabilities of one tile with the evidence in them, float32.

    `probability` is (classes, rows, columns) with sum 1, `pixels` (bands, rows, columns)
    reflectance in the order of `roles`, NaN where missing; rows and columns are multiples of 8.
    What clear ground and cloud have together stays. Where blue or red is missing, or little clear
    ground is around, nothing changes.
    """
    blue, red = (pixels[roles.index(role)] for role in BANDS)
    transform = blue - _RED * red
    there = np.isfinite(transform)
    if not there.any():
        return probability
    cloud = (probability.argmax(axis=0) == classes.index(CLOUD)) & there
    ground = there & ~_near(cloud, haze.grow)
    weight = np.where(ground, probability[classes.index(CLEAR)], np.float32(0))
    lift = _lift(np.where(there, transform, np.float32(0)), weight, haze)
    evidence = np.clip(haze.slope * (lift - haze.start), haze.least, haze.most)
    evidence = np.where(there, np.where(evidence > 0, evidence * _beside(cloud, haze), evidence), 0)
    return moved(probability, classes.index(CLOUD), classes.index(CLEAR), evidence)


def _near(cloud: NDArray[np.bool_], grow: int) -> NDArray[np.bool_]:
    """What is cloud or within `grow` pixels of one."""
    if not grow or not cloud.any():
        return cloud
    away = np.arange(-grow, grow + 1)
    disk = np.hypot(away[:, None], away) <= grow
    return np.asarray(ndimage.binary_dilation(cloud, disk))


def _beside(cloud: NDArray[np.bool_], haze: Haze) -> Pixels:
    """0..1: how much evidence for cloud counts by the distance from the next large one."""
    clouds = large(cloud, haze.cloud)
    if not clouds.any():
        return np.zeros(cloud.shape, dtype=np.float32)
    distance = ndimage.distance_transform_edt(~clouds).astype(np.float32)
    share: Pixels = np.exp(-np.maximum(distance - haze.near, 0) / haze.fade)
    return share


def _lift(transform: Pixels, weight: Pixels, haze: Haze) -> Pixels:
    """By how much a pixel is hazier than clear ground around; NaN where there is too little."""
    share = smooth(weight, haze.around)
    share[share < haze.enough] = np.nan
    lift: Pixels = transform - smooth(weight * transform, haze.around) / share
    return lift
