"""What every mask method gives for a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels


@dataclass(frozen=True)
class Masked:
    """One window of a mask."""

    labels: NDArray[np.uint8]
    """(rows, columns) codes of `nndacss.labels.climate.Climate`, 255 nodata."""
    quality: NDArray[np.uint16] | None
    """(rows, columns) the product's own quality bits, carried along; None where it has none."""
    probability: Pixels | None = None
    """(4, rows, columns) in the order of the codes, NaN where missing; None without a network."""
    raw: NDArray[np.uint8] | None = None
    """(rows, columns) labels as predicted, where `labels` were grown or cleaned; else None."""
