"""Overviews: four pixels become one, again and again, in one streaming pass.

GDAL's own overviews cost more than the rest of the COG (0.26 s per Mpx of six bands against
0.06 here), and this pass reads every pixel anyway, for the counts of `nndacss.product.survey`.
Each level is made from the one before, as GDAL does, and rounded half up.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.product.sheets import Sheet

Codes = NDArray[Any]
#: The last overview has at most this many pixels a side (GDAL's rule for COGs: one block).
SMALLEST = 512


def levels(rows: int, columns: int) -> int:
    """How many overviews a raster of this size gets.

    >>> levels(512, 512), levels(513, 100), levels(2048, 2049)
    (0, 1, 3)
    """
    count = 0
    while max(rows, columns) > SMALLEST:
        rows, columns, count = -(-rows // 2), -(-columns // 2), count + 1
    return count


def halve(codes: Codes, sheet: Sheet) -> Codes:
    """(bands, rows, columns) integers to half the size, by the sheet's way; odd sizes round up.

    `average` is the mean of the pixels that are not nodata, rounded half up, and nodata where
    all four are; `mode` the most frequent code (of equally frequent ones the first in reading
    order); `nearest` the upper left one, as for all coded bands.
    """
    if sheet.reduce == "nearest":
        return np.ascontiguousarray(codes[:, ::2, ::2])
    if sheet.reduce == "mode":
        return _mode(_even(codes))
    coded = {sheet.bands.index(name) for name in sheet.coded}
    return np.stack(
        [
            band[::2, ::2] if index in coded else _average(band, sheet.nodata)
            for index, band in enumerate(codes)
        ]
    )


def _even(codes: Codes) -> Codes:
    """Odd sizes made even by repeating the last row and column."""
    rows, columns = codes.shape[1] % 2, codes.shape[2] % 2
    if not rows + columns:
        return codes
    return np.pad(codes, ((0, 0), (0, rows), (0, columns)), mode="edge")


def _mode(codes: Codes) -> Codes:
    a, b = codes[:, ::2, ::2], codes[:, ::2, 1::2]
    c, d = codes[:, 1::2, ::2], codes[:, 1::2, 1::2]
    second = (b == c) | (b == d)
    first = (a == b) | (a == c) | (a == d)
    return np.where(first, a, np.where(second, b, np.where(c == d, c, a)))


def _average(band: Codes, nodata: int) -> Codes:
    rows, columns = band.shape
    if rows % 2 or columns % 2:
        band = np.pad(band, ((0, rows % 2), (0, columns % 2)), constant_values=nodata)
    total = _sum4(band)
    result: Codes = ((total + 2) >> 2).astype(band.dtype)
    missing = band == nodata
    if missing.any():
        _mend(result, total, missing, nodata)
    return result


def _sum4(band: Codes) -> NDArray[np.int32]:
    """Sums of two by two pixels."""
    if band.dtype == np.int16 and sys.byteorder == "little":
        # both of a pair at once: the halves of a 32-bit word, several times faster than strides
        pairs = np.ascontiguousarray(band).view(np.int32)
        sums = (pairs >> 16) + ((pairs << 16) >> 16)
    else:
        wide = band.astype(np.int32)
        sums = wide[:, ::2] + wide[:, 1::2]
    return sums[::2] + sums[1::2]


def _mend(result: Codes, total: NDArray[np.int32], missing: NDArray[np.bool_], nodata: int) -> None:
    """Put in the means where one to four of the four pixels are nodata."""
    ones = missing.view(np.uint8)
    pairs = ones[:, ::2] + ones[:, 1::2]
    lacking = pairs[::2] + pairs[1::2]
    touched = lacking > 0
    count = 4 - lacking[touched].astype(np.int32)
    rest = total[touched] - nodata * (4 - count)
    mean = (2 * rest + count) // np.maximum(2 * count, 1)
    result[touched] = np.where(count > 0, mean, nodata)


def recode(codes: Codes, sheet: Sheet) -> Codes:
    """Codes of the source as the sheet has them."""
    if not sheet.recode:
        return codes
    table = np.full(256, sheet.nodata, dtype=np.uint8)
    for code, to in sheet.recode:
        table[code] = to
    return table[codes]


def chain(codes: Codes, sheet: Sheet, count: int) -> Sequence[Codes]:
    """The next `count` levels below `codes`."""
    found = []
    for _ in range(count):
        codes = halve(codes, sheet)
        found.append(codes)
    return found
