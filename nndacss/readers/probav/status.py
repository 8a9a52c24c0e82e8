"""The status map (SM) of Proba-V products, PROBA-V Products User Manual.

Bits 0 to 2 are a code; bit 3 is set over land; bits 4 to 7 say that SWIR, NIR, RED and BLUE are
radiometrically good; in Level 2A bits 8 to 11 say, in the same order, that a band has data there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of

#: Codes of bits 0 to 2.
CLEAR, SHADOW, UNDEFINED, CLOUD, ICE = range(5)
_COVERAGE = 0b1111 << 8
_ANY = of(Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD)
#: Code -> the classes that such a pixel may be; unknown codes say nothing.
_SETS = np.array(
    [of(Climate.CLEAR), of(Climate.SHADOW), _ANY, of(Climate.CLOUD), of(Climate.SNOW), 0, 0, 0],
    dtype=np.uint16,
)


def codes(status: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Bits 0 to 2: 0 clear, 1 shadow, 2 undefined, 3 cloud, 4 snow or ice."""
    return (status & 0b111).astype(np.uint8)


def land(status: NDArray[np.integer]) -> NDArray[np.bool_]:
    """True over land, False over sea."""
    return np.asarray((status & 0b1000) != 0)


def covered(status: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Level 2A only: True where all four bands have data."""
    return np.asarray((status & _COVERAGE) == _COVERAGE)


def climate(status: NDArray[np.integer], valid: NDArray[np.bool_]) -> Sets:
    """The codes as sets of this project's classes, the same shape; 0 where not `valid`.

    An undefined pixel may be anything.
    """
    sets: Sets = np.where(valid, _SETS[codes(status)], 0).astype(np.uint16)
    return sets
