"""What every way to harmonize gives for one window, and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels

#: Reflectance is stored as round(reflectance / SCALE), int16 (as Sentinel-2 and HLS do).
SCALE = 0.0001
NODATA = -9999
#: Bits of the source layer; 0 is nodata.
BANDPASS, NETWORK, COMPOSED, SATURATED, NO_PAN, OWN = 1, 2, 4, 8, 16, 32
#: Bits of the flags beside the standard deviations.
SNOW, WITHOUT_PAN = 1, 2


@dataclass(frozen=True)
class Deviation:
    """How far a network's result may be off, where a network made it."""

    sigma: Pixels
    """(bands, rows, columns) one standard deviation, reflectance; NaN where no network was."""
    flags: NDArray[np.uint8]
    """(rows, columns) SNOW and WITHOUT_PAN."""


@dataclass(frozen=True)
class Harmonized:
    """One window of the harmonized image."""

    pixels: Pixels
    """(bands, rows, columns) reflectance, NaN where missing."""
    source: NDArray[np.uint8]
    """(rows, columns) bits BANDPASS, NETWORK, NO_PAN or OWN, also where pixels are missing."""
    deviation: Deviation | None = None
    """None where the method states none."""


def quantize(pixels: Pixels) -> NDArray[np.int16]:
    """Reflectance to int16 counts; a pixel with any band missing is NODATA in all bands."""
    missing = np.isnan(pixels).any(axis=0)
    counts = np.rint(np.where(missing, 0, pixels) / np.float32(SCALE))
    clipped = np.clip(counts, NODATA + 1, np.iinfo(np.int16).max).astype(np.int16)
    return np.where(missing, np.int16(NODATA), clipped)
