"""Missing pixels filled in, so that a Fourier transform sees no holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels


def filled(pixels: Pixels, known: NDArray[np.bool_]) -> Pixels:
    """(bands, rows, columns) with what lies outside `known` made from what is inside.

    Normalized convolution (Knutsson and Westin 1993, doi:10.1109/CVPR.1993.341081) with boxes of
    2, 4, 8, ... pixels: a missing pixel is the mean of the known ones in the smallest box that
    holds some, interpolated linearly between boxes. Known pixels keep their values; values outside
    `known`, NaN among them, play no part. Zeros where nothing at all is known.
    """
    if known.all():
        return pixels
    return _filled(np.where(known, pixels, np.float32(0)), known.astype(np.float32))


def _filled(total: Pixels, weight: Pixels) -> Pixels:
    """Means of sums `total` (bands, rows, columns) over `weight` (rows, columns) pixels each."""
    known = weight > 0
    mean: Pixels = (total / np.maximum(weight, 1)).astype(np.float32)
    if known.all() or weight.size == 1:
        return mean
    rows, columns = weight.shape
    coarse = _filled(_paired(total), _paired(weight))
    around = _doubled(_doubled(coarse, -1), -2)[:, :rows, :columns]
    return np.where(known, mean, around)


def _paired(sums: Pixels) -> Pixels:
    """Sums over boxes of 2 x 2; an odd last row or column has a box of its own."""
    rows, columns = sums.shape[-2:]
    even = np.pad(sums, [(0, 0)] * (sums.ndim - 2) + [(0, rows % 2), (0, columns % 2)])
    down = even[..., 0::2, :] + even[..., 1::2, :]
    both: Pixels = down[..., 0::2] + down[..., 1::2]
    return both


def _doubled(coarse: Pixels, axis: int) -> Pixels:
    """Twice as many pixels along an axis, linear between the centres of the coarse ones."""
    middle = np.moveaxis(coarse, axis, -1)
    before = np.concatenate([middle[..., :1], middle[..., :-1]], axis=-1)
    after = np.concatenate([middle[..., 1:], middle[..., -1:]], axis=-1)
    halves = np.stack([0.75 * middle + 0.25 * before, 0.75 * middle + 0.25 * after], axis=-1)
    doubled = halves.reshape(*middle.shape[:-1], -1).astype(np.float32)
    return np.moveaxis(doubled, -1, axis)
