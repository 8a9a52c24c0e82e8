"""What is around a pixel: means over wide windows, and whether it is part of something large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.raster import Pixels

#: Pixels a side that are averaged first, since the mean is smooth; divides a tile's sides.
_BLOCK = 8


def smooth(plane: Pixels, around: float) -> Pixels:
    """(rows, columns) Gaussian mean of standard deviation `around` pixels, beyond edges as at them.

    Taken on means of blocks and brought back bilinearly: rows and columns are multiples of 8.
    """
    rows, columns = plane.shape
    blocks = plane.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).mean(axis=(1, 3))
    wide = ndimage.gaussian_filter(blocks, around / _BLOCK, mode="nearest")
    fine: Pixels = ndimage.zoom(wide, _BLOCK, order=1, mode="nearest", grid_mode=True)
    return fine


def large(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """The parts of a mask, joined along sides, that have `least` pixels or more."""
    parts, _ = ndimage.label(mask)
    size = np.bincount(parts.ravel())
    size[0] = 0
    return np.asarray((size >= least)[parts])
