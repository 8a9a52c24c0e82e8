"""What share of a 90 m pixel is missing, or cloud: a 3 x 3 filter on every third pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndacss.harmonize.physical.psf import FACTOR, Block, Edges
from nndacss.raster import Pixels

#: The published program's filter; its sum is 7.5.
FILTER = np.array([[0.5, 1.0, 0.5], [1.0, 1.5, 1.0], [0.5, 1.0, 0.5]], dtype=np.float32)
#: A Proba-V pixel is missing where more than this share of it is.
MOST = 0.2


def missing_share(missing: NDArray[np.bool_], top: int, block: Block) -> Pixels:
    """(rows of the block, columns / 3) float32, 0 to 1; outside the image all is missing.

    `missing` is (rows, columns); its row 0 is row `top` of the image.
    """
    total = _filtered(missing.astype(np.float32), top, block, 1.0)
    return np.asarray(total / FILTER.sum())


def cloud_shares(clouds: Pixels, top: int, block: Block, edges: Edges) -> tuple[Pixels, Pixels]:
    """Soft cloud cover, 0 to 1, and the share of pixels without a label.

    `clouds` is (rows, columns): 1 cloud, 0 not, NaN without label. `normalized` is the cover of
    the labelled part, NaN where there is none. `legacy` counts what has no label as half a cloud,
    and weighs one such pixel so much (0.5 at least) that none is tolerated.
    """
    unknown = np.isnan(clouds)
    total = FILTER.sum()
    gaps = _filtered(unknown.astype(np.float32), top, block, 1.0)
    if edges == "legacy":
        halves = np.where(unknown, np.float32(0.5), clouds)
        return _filtered(halves, top, block, 0.5) / total, gaps
    cover = _filtered(np.where(unknown, np.float32(0), clouds), top, block, 0.0)
    known = total - gaps
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known > 0, cover / known, np.float32(np.nan)), gaps / total


def _filtered(image: Pixels, top: int, block: Block, outside: float) -> Pixels:
    """The filter's sum around every third pixel, `outside` beyond the image."""
    height, width = block.out.stop - block.out.start, -(-image.shape[1] // FACTOR)
    first, last = FACTOR * block.out.start - 1, FACTOR * (block.out.stop - 1) + 2
    padded = np.full((last - first, FACTOR * (width - 1) + 3), outside, dtype=np.float32)
    begin, end = max(first, 0), min(last, block.height)
    columns = min(image.shape[1], padded.shape[1] - 1)
    padded[begin - first : end - first, 1 : columns + 1] = image[begin - top : end - top, :columns]
    total = np.zeros((height, width), dtype=np.float32)
    for row in range(3):
        for column in range(3):
            total += FILTER[row, column] * padded[row::FACTOR, column::FACTOR][:height, :width]
    return total
