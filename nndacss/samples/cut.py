"""Windows of one labelled image, at the pixel size that the network works at.

Images finer than `finest` are reduced by a whole factor first. A coarse pixel's reflectance is
the mean of its valid fine pixels, its label set the most frequent of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets import Sample
from nndacss.datasets.tiles import counted_once, most_frequent, starts
from nndacss.errors import DatasetError, complain
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels


@dataclass(frozen=True)
class Piece:
    """One window."""

    row: int
    column: int
    """Upper left pixel in the reduced image."""
    pixels: Pixels
    """(bands, side, side), NaN where missing or outside the image."""
    sets: Sets
    """(side, side), 0 where unlabelled, missing or outside the image."""
    weight: NDArray[np.float32] | None = None
    """(side, side) how sure each label is, 0..1; None where the data do not say."""


def pieces(sample: Sample, side: int, stride: int = 0) -> Iterator[Piece]:
    """Windows of `side` pixels that hold a label, `stride` apart (0: `side`), row by row.

    The last window of a row or column is shifted inward to end with the image; where windows do
    not overlap otherwise, what it shares with the one before is context and carries no label, so
    that each labelled pixel counts once. An image smaller than `side` is filled with missing
    pixels. A pixel that no band sees has no label.
    """
    step = stride or side
    sets = np.where(np.isnan(sample.pixels).all(axis=0), np.uint16(0), sample.sets)
    size = sets.shape
    for row in starts(size[0], side, step):
        for column in starts(size[1], side, step):
            place = np.s_[row : row + side, column : column + side]
            labels = sets[place]
            if step == side:
                labels = counted_once(labels, row, column, side)
            if labels.any():
                weight = None if sample.weight is None else _whole(sample.weight[place], side)
                pixels = _filled(sample.pixels[:, *place], labels, side)
                yield Piece(row, column, *pixels, weight)


def arranged(sample: Sample, roles: Sequence[str], nir_as_nir08: bool) -> Sample:
    """The sample with the bands `roles`, in that order; NaN where it has no such band.

    `nir` stands for `nir08` where there is no `nir08` and that is allowed. DatasetError where it
    has none of the bands.
    """
    source = list(sample.roles)
    if nir_as_nir08 and "nir08" not in source and "nir" in source:
        source[source.index("nir")] = "nir08"
    if not set(roles) & set(source):
        found = f"bands {', '.join(sample.roles)}"
        expected = f"any of {', '.join(roles)}"
        raise DatasetError(complain(sample.name, found, expected, "correct `roles`"))
    pixels = np.full((len(roles), *sample.sets.shape), np.nan, dtype=np.float32)
    for index, role in enumerate(roles):
        if role in source:
            pixels[index] = sample.pixels[source.index(role)]
    return replace(sample, pixels=pixels, roles=tuple(roles))


def reduced(sample: Sample, finest: float) -> Sample:
    """The sample at its working pixel: `round(finest / metres)` times coarser, at least once.

    Rows and columns that do not fill a coarse pixel are left out, and so are the strata, which only
    scores ask for.
    """
    factor = max(1, round(finest / sample.metres))
    if factor == 1:
        return sample
    if min(sample.sets.shape) < factor:
        found = f"{sample.sets.shape} pixels of {sample.metres:g} m"
        expected = f"at least one pixel of {factor * sample.metres:g} m"
        raise DatasetError(complain(sample.name, found, expected, "leave it out"))
    return replace(
        sample,
        pixels=average(sample.pixels, factor),
        sets=most_frequent(sample.sets, factor),
        metres=sample.metres * factor,
        strata={},
        weight=None if sample.weight is None else average(sample.weight[None], factor)[0],
    )


def average(pixels: Pixels, factor: int) -> Pixels:
    """(bands, rows, columns) -> (bands, rows // factor, columns // factor), NaN left out.

    NaN where no pixel of a block is valid.
    """
    rows, columns = (size // factor for size in pixels.shape[1:])
    whole = pixels[:, : rows * factor, : columns * factor]
    blocks = whole.reshape(len(pixels), rows, factor, columns, factor)
    valid = ~np.isnan(blocks)
    count = valid.sum(axis=(2, 4))
    total = np.where(valid, blocks, 0).sum(axis=(2, 4), dtype=np.float64)
    mean = total / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan).astype(np.float32)


def _filled(pixels: Pixels, sets: Sets, side: int) -> tuple[Pixels, Sets]:
    rows, columns = sets.shape
    if (rows, columns) == (side, side):
        return pixels, sets
    all_pixels = np.full((len(pixels), side, side), np.nan, dtype=np.float32)
    all_sets = np.zeros((side, side), dtype=np.uint16)
    all_pixels[:, :rows, :columns], all_sets[:rows, :columns] = pixels, sets
    return all_pixels, all_sets


def _whole(weight: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Weights of a window; 0 outside the image."""
    lack = [(0, side - size) for size in weight.shape]
    return np.pad(weight, lack)
