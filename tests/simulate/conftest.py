"""One small scene that several tests read, and how they read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from nndacss.simulate.landsat import LandsatPair, write_landsat


def band(product: Path, name: str) -> NDArray[np.float64]:
    """Counts of one band."""
    with rasterio.open(product / f"{product.name}_{name}.TIF") as dataset:
        return dataset.read(1).astype(np.float64)


def read_truth(pair: LandsatPair) -> NDArray[np.uint8]:
    with rasterio.open(pair.truth) as dataset:
        return dataset.read(1)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> LandsatPair:
    """The demo's place, a little smaller."""
    return write_landsat(tmp_path_factory.mktemp("scene"), rows=300, columns=290)
