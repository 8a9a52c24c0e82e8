"""Labels as sets of classes: one bit a class, for data that are annotated in part.

A pixel's set says which classes it may be. L8 Biome's "clear", in a scene where nobody marked
shadows, is {clear, shadow, snow} = bits 0, 1, 2 = 7. The empty set, 0, is nodata or unlabelled.
A loss sums the probability over the set; a score counts only what the set decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.labels import NODATA

Sets = NDArray[np.uint16]
"""(rows, columns) one bit a class; 0 unlabelled. At most 16 classes."""


def of(*codes: int) -> int:
    """The set of some codes.

    >>> of(0, 2)
    5
    """
    bits = 0
    for code in codes:
        bits |= 1 << code
    return bits


def translate(codes: NDArray[np.uint8], table: Mapping[int, int], source: object) -> Sets:
    """Sets from an archive's own codes; `table` maps each known code to its set (0: no label).

    DatasetError, which names `source`, where a code is not in the table.

    >>> translate(np.array([[64, 255]], dtype=np.uint8), {64: of(1), 255: of(3)}, "a.tif").tolist()
    [[2, 8]]
    """
    found = np.flatnonzero(np.bincount(codes.ravel(), minlength=256))
    unknown = [int(code) for code in found if int(code) not in table]
    if unknown:
        known = ", ".join(str(code) for code in sorted(table))
        remedy = "check that it is the label file of this archive"
        raise DatasetError(complain(source, f"label codes {unknown}", f"codes {known}", remedy))
    lookup = np.zeros(256, dtype=np.uint16)
    for code, bits in table.items():
        lookup[code] = bits
    return np.asarray(lookup[codes])


def from_labels(labels: NDArray[np.uint8]) -> Sets:
    """Sets of one class each, from labels whose nodata is 255.

    >>> from_labels(np.array([[3, 255]], dtype=np.uint8)).tolist()
    [[8, 0]]
    """
    shifted = np.left_shift(np.uint16(1), np.minimum(labels, 15).astype(np.uint16))
    return np.where(labels == NODATA, np.uint16(0), shifted).astype(np.uint16)


def to_labels(sets: Sets) -> NDArray[np.uint8]:
    """(rows, columns) uint8: the class where the set holds exactly one, else 255.

    >>> to_labels(np.array([[8, 7, 0]], dtype=np.uint16)).tolist()
    [[3, 255, 255]]
    """
    single = (sets != 0) & ((sets & (sets - np.uint16(1))) == 0)
    code = np.log2(np.where(single, sets, 1)).astype(np.uint8)
    return np.where(single, code, np.uint8(NODATA)).astype(np.uint8)
