"""Pixel quality bits of the three generations, decoded to one set of flags.

Collection 2 QA_PIXEL (LSDS-1619): 0 fill, 1 dilated cloud, 2 cirrus, 3 cloud, 4 cloud shadow,
5 snow, 6 clear, 7 water, then two-bit confidences: 8-9 cloud, 10-11 shadow, 12-13 snow,
14-15 cirrus. Collection 1 BQA (LSDS-1656): 0 fill, 1 terrain occlusion, 2-3 radiometric
saturation (how many bands), 4 cloud, 5-6 cloud, 7-8 shadow, 9-10 snow, 11-12 cirrus confidence.
Before the collections (LSDS-1574): 0 fill, 1 dropped frame, 2 terrain occlusion, 4-5 water,
6-7 shadow (never filled), 8-9 vegetation, 10-11 snow, 12-13 cirrus, 14-15 cloud confidence.

A confidence is 0 not determined, 1 low, 2 medium, 3 high (shadow, snow and cirrus are only ever
low or high in Collections 1 and 2). The default counts high confidence only: that is what the
Collection 2 flags mean (they agree with confidence 3 on every pixel of the scenes looked at), so
all generations decode alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import SettingsError
from nndacss.readers.landsat.metadata import Collection
from nndacss.readers.scene import Confidence, QualityFlags

__all__ = [
    "FILL",
    "SATURATION_BITS",
    "QualityFlags",
    "any_saturated",
    "band_saturated",
    "decode",
]

_DEGREES: dict[str, int] = {"low": 1, "medium": 2, "high": 3}
#: What lies outside the image: fill, in every generation.
FILL = 1
#: QA_RADSAT of Landsat-8/9 (LSDS-1619): one bit a band; pan and thermal bands have none.
#: Bit 11, terrain occlusion, is no saturation.
SATURATION_BITS = {
    "coastal": 0,
    "blue": 1,
    "green": 2,
    "red": 3,
    "nir08": 4,
    "swir16": 5,
    "swir22": 6,
    "cirrus": 8,
}
_CONFIDENCES: dict[Collection, dict[str, int]] = {
    "pre": {"cloud": 14, "shadow": 6, "snow": 10, "cirrus": 12, "water": 4},
    "1": {"cloud": 5, "shadow": 7, "snow": 9, "cirrus": 11},
    "2": {"cloud": 8, "shadow": 10, "snow": 12, "cirrus": 14},
}
_FLAGS: dict[Collection, dict[str, int]] = {
    "pre": {},
    "1": {"cloud": 4},
    "2": {"dilated": 1, "cirrus": 2, "cloud": 3, "shadow": 4, "snow": 5, "water": 7},
}
_CLASSES = ("cloud", "dilated", "cirrus", "shadow", "snow", "water")


def decode(
    codes: NDArray[np.uint16], collection: Collection, confidence: Confidence = "high"
) -> QualityFlags:
    """The flags in `codes`, (rows, columns).

    `confidence` is the one from which on a class counts. A
    class that a generation does not tell (dilated cloud before Collection 2, water in
    Collection 1) is False everywhere. Fill pixels carry no other flag.
    """
    if confidence not in _DEGREES:
        raise SettingsError(f"confidence = {confidence!r}; choose one of: {', '.join(_DEGREES)}")
    degree = _DEGREES[confidence]
    fill = _bit(codes, 0)
    flags = {name: _class(codes, collection, degree, name) & ~fill for name in _CLASSES}
    unclear = fill | flags["cloud"] | flags["dilated"] | flags["cirrus"]
    clear = ~(unclear | flags["shadow"] | flags["snow"])
    return QualityFlags(fill=fill, clear=clear, **flags)


def _class(
    codes: NDArray[np.uint16], collection: Collection, degree: int, name: str
) -> NDArray[np.bool_]:
    """The class's flag, or its confidence, whichever there is and says yes."""
    found = np.zeros(codes.shape, dtype=np.bool_)
    if name in _FLAGS[collection]:
        found |= _bit(codes, _FLAGS[collection][name])
        if degree == _DEGREES["high"]:
            return found
    if name in _CONFIDENCES[collection]:
        found |= ((codes >> _CONFIDENCES[collection][name]) & 3) >= degree
    return found


def _bit(codes: NDArray[np.uint16], bit: int) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (codes & (1 << bit)) != 0
    return result


def band_saturated(codes: NDArray[np.uint16], role: str) -> NDArray[np.bool_]:
    """Whether QA_RADSAT marks the band of `role`; `role` is one of `SATURATION_BITS`."""
    return _bit(codes, SATURATION_BITS[role])


def any_saturated(codes: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether the BQA of Collection 1 marks any band as saturated (it does not say which)."""
    result: NDArray[np.bool_] = ((codes >> 2) & 3) != 0
    return result
