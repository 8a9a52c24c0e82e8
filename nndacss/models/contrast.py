"""Shadow by contrast: ground much darker than the sunlit ground around it is likelier a shadow.

The log-odds of shadow grow by `slope` times (contrast - start), within limits. Contrast is
log(background / reflectance), in the band that shows least of it, so that water and dark soil,
which are dark in some bands only, gain little.

The background is the Gaussian mean of the log reflectance of what is no cloud, nor near one, nor
shadow by the network's own word. No cloud, no shadow: the evidence fades with the distance from
the nearest cloud, and without clouds there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from nndacss.models.darkness import CLEAR, CLOUD, SHADOW, Darkness
from nndacss.models.odds import moved
from nndacss.models.shadow_match import matched
from nndacss.models.surroundings import smooth
from nndacss.raster import Pixels

#: Reflectance below this is noise, and its logarithm would outweigh all else.
_DARKEST = 0.005
#: Share of sunlit ground around, below which there is nothing to compare with.
_ENOUGH = 1e-3


def shaded(
    probability: Pixels,
    pixels: Pixels,
    roles: Sequence[str],
    classes: Sequence[str],
    darkness: Darkness,
) -> Pixels:
    """Probabilities of one tile with the evidence in them, float32.

    `probability` is (classes, rows, columns) with sum 1, `pixels` (bands, rows, columns)
    reflectance in the order of `roles`, NaN where missing; rows and columns are multiples of 8.
    The odds between the other classes stay as they are, but that `matching`, where it is asked for,
    takes from clear ground alone. Where contrast is unknown nothing changes.
    """
    seen = _seen(pixels, roles, darkness)
    if not seen:
        return probability
    # what the network says of missing pixels means nothing
    cloud = (probability.argmax(axis=0) == classes.index(CLOUD)) & np.isfinite(seen).any(axis=0)
    if not cloud.any():
        return probability
    distance = ndimage.distance_transform_edt(~cloud).astype(np.float32)
    shadow, ground = classes.index(SHADOW), distance > darkness.grow
    contrast = _contrast(seen, np.where(ground, 1 - probability[shadow], 0), darkness.around)
    evidence = darkness.slope * (contrast - darkness.start)
    evidence = np.clip(evidence, darkness.least, darkness.most)
    evidence *= np.exp(-np.maximum(distance - darkness.near, 0) / darkness.fade)
    result = probability.copy()
    result[shadow] *= np.exp(np.nan_to_num(evidence, nan=0.0))
    result /= result.sum(axis=0)
    if darkness.matching is None:
        return result
    # against what is sunlit by better knowledge
    contrast = _contrast(seen, np.where(ground, 1 - result[shadow], 0), darkness.around)
    by = matched(cloud, contrast, darkness.matching)
    return moved(result, shadow, classes.index(CLEAR), by)


def _seen(pixels: Pixels, roles: Sequence[str], darkness: Darkness) -> list[Pixels]:
    """The planes in which contrast is sought; none where the tile has no group of them."""
    for group in darkness.bands:
        planes = [pixels[roles.index(role)] for role in group]
        if all(np.isfinite(plane).any() for plane in planes):
            return planes
    return []


def _contrast(bands: list[Pixels], sunlit: Pixels, around: float) -> Pixels:
    """log(background / reflectance), the least of the bands that a pixel has.

    NaN where it has none, or where little around is sunlit.
    """
    values = [np.log(np.maximum(band, np.float32(_DARKEST))) for band in bands]
    weight = np.where(np.isfinite(values).all(axis=0), sunlit, np.float32(0))
    total = smooth(weight, around)
    total[total < _ENOUGH] = np.nan
    contrasts = [smooth(weight * np.nan_to_num(value), around) / total - value for value in values]
    least: Pixels = np.fmin.reduce(contrasts)
    return least
