"""Small mask banks, for tests."""

from __future__ import annotations

import warnings

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from nndacss.inpaint.harvest import build_bank


def blobs(seed, shape=(200, 180), count=9):
    """A mask of round clouds of 3 to 20 pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool)
    for _ in range(count):
        row, column, radius = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(3, 20)
        mask |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return mask


def write_raster(path, codes):
    """One band of bytes without a georeference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = codes.shape
    options = {"height": rows, "width": columns, "count": 1, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **options) as raster:
            raster.write(codes.astype(np.uint8), 1)


def make_bank(folder, count=4, metres=20.0):
    """`<folder>/bank.h5`: masks of clouds, and one raster of cloud and snow."""
    for number in range(count):
        write_raster(folder / "masks" / f"cloud_{number}.tif", blobs(number))
    both = np.where(blobs(91), 2, np.where(blobs(92), 3, 1))
    write_raster(folder / "masks" / "snow.tif", both)
    build_bank([folder / "masks"], folder / "bank.h5", metres)
    return folder / "bank.h5"
