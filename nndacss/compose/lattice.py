"""Overlapping blocks on a lattice that is fixed on the ground, and what they count in a pixel.

Where the blocks lie depends on the output grid alone, not on the window that is being computed,
and a block's result on nothing but its own pixels: windows agree wherever both hold all of the
blocks over a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels

Take = slice | NDArray[np.intp]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Span:
    """One block along one axis of a window."""

    take: Take
    """The window's pixel at each place of the block, mirrored beyond the window's edges."""
    into: slice
    """The window's pixels in the block."""
    of: slice
    """The block's places of these pixels."""


@dataclass(frozen=True)
class Lattice:
    """Blocks of `side` pixels, of which neighbours share `overlap`, over a grid from pixel 0 on.

    The first pixel of a block is k * (side - overlap) - overlap for a whole number k. `overlap` is
    at least 1 and at most half of `side`.
    """

    side: int
    overlap: int

    @cached_property
    def share(self) -> Pixels:
        """(side,) what a block counts at its pixels: 1 in sum over the blocks of an axis.

        0 to 1 over the first overlap as a squared sine, 1, and 1 to 0 over the last.
        """
        angle = np.pi / 2 * (np.arange(self.overlap) + 0.5) / self.overlap
        share = np.ones(self.side)
        share[: self.overlap] = np.sin(angle) ** 2
        share[-self.overlap :] = np.cos(angle) ** 2
        return share.astype(np.float32)

    def spans(self, first: int, size: int) -> Iterator[Span]:
        """The blocks over the `size` pixels of a window from the grid's pixel `first` on."""
        step = self.side - self.overlap
        for number in range(first // step, (first + size - 1 + self.overlap) // step + 1):
            start = number * step - self.overlap - first
            into = slice(max(start, 0), min(start + self.side, size))
            of = slice(into.start - start, into.stop - start)
            inside = of == slice(0, self.side)
            take: Take = into if inside else mirrored(start, self.side, size)
            yield Span(take, into, of)


def taken(array: NDArray[T], rows: Take, columns: Take) -> NDArray[T]:
    """Some rows and columns of (..., rows, columns), sliced first and gathered then: no detours."""
    if isinstance(columns, slice):
        return array[..., columns][..., rows, :]
    return array[..., rows, :][..., columns]


def mirrored(start: int, count: int, size: int) -> NDArray[np.intp]:
    """`count` pixels from `start` on, of an axis of `size`, mirrored at its edges again and again.

    >>> mirrored(-2, 8, 3).tolist()
    [1, 0, 0, 1, 2, 2, 1, 0]
    """
    place = np.arange(start, start + count) % (2 * size)
    return np.minimum(place, 2 * size - 1 - place)
