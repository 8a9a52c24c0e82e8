"""Growing and cleaning a predicted mask, as a pure function of a window with a halo.

First objects smaller than a limit are taken back: each of their pixels gets its likeliest other
class. Then classes grow by a distance. Cloud grows over everything, shadow over all but cloud,
snow over clear ground only; nodata stays.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.labels.climate import Climate
from nndacss.mask.settings import MaskSettings
from nndacss.raster import Pixels

#: Classes that are objects, in the order in which they are treated; later ones win.
OBJECTS = (Climate.SNOW, Climate.SHADOW, Climate.CLOUD)
#: Square metres.
HECTARE = 10_000


def active(settings: MaskSettings) -> bool:
    """Whether the settings change a predicted mask at all."""
    return bool(settings.dilate.changed() or settings.smallest.changed())


def halo(settings: MaskSettings, metres: float) -> int:
    """Pixels around a window on which its result depends.

    An object of fewer than n pixels that touches the window lies within n pixels of it, and the
    classes grow from what is left: distance plus size.
    """
    if not active(settings):
        return 0
    far: float = max(settings.dilate.model_dump().values())
    large: float = max(settings.smallest.model_dump().values())
    return math.ceil(far / metres) + _pixels(large, metres)


def treat(
    labels: NDArray[np.uint8], probability: Pixels, settings: MaskSettings, metres: float
) -> NDArray[np.uint8]:
    """(rows, columns) labels, cleaned, then grown; right inside the halo only."""
    result = labels
    for code in OBJECTS:
        limit = _pixels(getattr(settings.smallest, code.name.lower()), metres)
        if limit > 1:
            result = without_small(result, code, limit, probability)
    for code in OBJECTS:
        reach = getattr(settings.dilate, code.name.lower())
        if reach > 0:
            result = grown(result, code, reach / metres)
    return result


def without_small(
    labels: NDArray[np.uint8], code: int, limit: int, probability: Pixels
) -> NDArray[np.uint8]:
    """Labels without objects of class `code` of fewer than `limit` pixels (joined by corners)."""
    objects, count = ndimage.label(labels == code, structure=np.ones((3, 3)))
    if not count:
        return labels
    small = np.bincount(objects.ravel()) < limit
    small[0] = False
    others = probability.copy()
    others[code] = -1
    gone = small[objects]
    return np.where(gone, others.argmax(axis=0), labels).astype(np.uint8)


def grown(labels: NDArray[np.uint8], code: int, reach: float) -> NDArray[np.uint8]:
    """Labels with class `code` grown by `reach` pixels over the classes that it may cover."""
    own = labels == code
    if not own.any():
        return labels
    near = ndimage.distance_transform_edt(~own) <= reach
    covers = (Climate.CLEAR, *OBJECTS[: OBJECTS.index(Climate(code))])
    return np.where(near & np.isin(labels, covers), np.uint8(code), labels).astype(np.uint8)


def _pixels(hectares: float, metres: float) -> int:
    return math.ceil(hectares * HECTARE / metres**2)
