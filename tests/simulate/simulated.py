"""How the tests here read what was written: with rasterio, not with our own reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray


def band(product: Path, name: str) -> NDArray[np.float64]:
    """Counts of one band."""
    with rasterio.open(product / f"{product.name}_{name}.TIF") as dataset:
        return dataset.read(1).astype(np.float64)


def labels(truth: Path) -> NDArray[np.uint8]:
    with rasterio.open(truth) as dataset:
        return dataset.read(1)
