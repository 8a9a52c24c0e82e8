"""Proba-V's point spread: a Gaussian a band, evaluated on every third Landsat pixel.

A Gaussian over squares of pixels is separable: rows first, then columns, each by sums of shifted
strips. All of it is elementwise arithmetic in a fixed order, so a pixel's value does not depend
on how the image is cut into blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels

Edges = Literal["normalized", "legacy"]
"""What is done where pixels are missing, see the folder's docstring."""

#: Landsat pixels to a blurred pixel, a side.
FACTOR = 3
#: Metres of a Landsat pixel.
METRES = 30.0
#: Standard deviation of a band's point spread in metres (the published program; full widths at
#: half maximum of 109, 118, 110 and 190 m).
SIGMA = (46.1236, 50.0845, 46.7560, 80.7639)
#: Pixels to either side of the centre that the published program takes of every band.
PUBLISHED_REACH = 7
#: Less than this share of the weight on present pixels says nothing.
LEAST = 0.05

_STRIP = 512


@dataclass(frozen=True)
class Block:
    """Some rows of blurred pixels, and the rows of the image that they need."""

    out: slice
    """Rows of 90 m pixels."""
    height: int
    """Rows of the whole image, 30 m pixels."""

    def needed(self, reach: int) -> slice:
        """Rows of the image within `reach` of the block's centres, clipped to the image."""
        first, last = FACTOR * self.out.start - reach, FACTOR * (self.out.stop - 1) + reach + 1
        return slice(max(first, 0), min(last, self.height))

    def mirrored(self, reach: int) -> NDArray[np.intp]:
        """The image's row for each row that the block's kernels touch, mirrored at the edges."""
        first, last = FACTOR * self.out.start - reach, FACTOR * (self.out.stop - 1) + reach + 1
        return mirror(np.arange(first, last), self.height)


def mirror(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Indices outside 0..size-1 reflected at the first and last element, which are not repeated.

    >>> mirror(np.array([-2, -1, 0, 3, 4, 5]), 4).tolist()
    [2, 1, 0, 3, 2, 1]
    """
    if size == 1:
        return np.zeros_like(index)
    period = 2 * (size - 1)
    folded = np.abs(index) % period
    return np.asarray(np.minimum(folded, period - folded))


def taps(sigma: float, edges: Edges) -> Pixels:
    """(2 * reach + 1,) float32 weights along one axis, sum 1; `sigma` in metres."""
    reach = PUBLISHED_REACH if edges == "legacy" else math.ceil(4 * sigma / METRES)
    distance = METRES * np.arange(-reach, reach + 1)
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def reach_of(edges: Edges) -> int:
    """The longest reach of any band, pixels."""
    return max(len(taps(sigma, edges)) // 2 for sigma in SIGMA)


def blur(bands: Pixels, missing: NDArray[np.bool_], top: int, block: Block, edges: Edges) -> Pixels:
    """Four bands as Proba-V blurs them, on every third pixel.

    `bands` is (4, rows, columns) reflectance, anything where `missing` (rows, columns); row 0 is
    row `top` of the image, and all rows that `block` needs are there. Gives (4, rows of the
    block, columns / 3 rounded up) float32: NaN where hardly anything is present (`normalized`),
    or with missing pixels counted as 0 (`legacy`). At the image's own borders it is mirrored.
    """
    width = bands.shape[2]
    coarse = -(-width // FACTOR)
    result = np.empty((len(SIGMA), block.out.stop - block.out.start, coarse), dtype=np.float32)
    for left, right in _strips(coarse):
        for number, sigma in enumerate(SIGMA):
            weights = taps(sigma, edges)
            reach = len(weights) // 2
            rows = block.mirrored(reach) - top
            columns = mirror(
                np.arange(FACTOR * left - reach, FACTOR * (right - 1) + reach + 1), width
            )
            place = _place(rows, columns)
            gaps = _cut(missing, place)
            values = _cut(bands[number], place)
            strip = result[number, :, left:right]
            if not gaps.any():
                strip[...] = _separable(values, weights)
                continue
            filled = np.where(gaps, np.float32(0), values)
            strip[...] = _separable(filled, weights)
            if edges == "normalized":
                present = 1 - _separable(gaps.astype(np.float32), weights)
                strip /= np.where(present < LEAST, np.float32(np.nan), present)
    # one set of missing pixels for all bands: SWIR reaches farther than the others
    result[:, np.isnan(result).any(axis=0)] = np.nan
    return result


def _strips(width: int) -> Iterator[tuple[int, int]]:
    """Columns of the result that are computed together, so that they stay in the cache."""
    for left in range(0, width, _STRIP):
        yield left, min(left + _STRIP, width)


def _place(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[Any, Any]:
    """Slices where the indices run on, which copy nothing, else the indices."""
    return tuple(  # type: ignore[return-value]
        slice(index[0], index[-1] + 1) if np.all(np.diff(index) == 1) else index
        for index in (rows, columns)
    )


def _cut(image: NDArray[Any], place: tuple[Any, Any]) -> NDArray[Any]:
    part: NDArray[Any] = image[place[0]][:, place[1]]
    return part


def _separable(image: Pixels, weights: Pixels) -> Pixels:
    """Rows, then columns, on every third pixel; `image` has a margin of the kernel's reach."""
    return _along(_along(image, weights).T, weights).T


def _along(image: Pixels, weights: Pixels) -> Pixels:
    """The weighted sum along the first axis at every third place."""
    reach = len(weights) // 2
    count = (image.shape[0] - 2 * reach - 1) // FACTOR + 1

    def shifted(by: int) -> Pixels:
        first = reach + by
        part: Pixels = image[first : first + FACTOR * (count - 1) + 1 : FACTOR]
        return part

    total: Pixels = np.multiply(shifted(0), weights[reach])
    pair = np.empty_like(total)
    for by in range(1, reach + 1):
        np.add(shifted(-by), shifted(by), out=pair)
        pair *= weights[reach + by]
        total += pair
    return total
