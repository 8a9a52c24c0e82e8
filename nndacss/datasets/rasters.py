"""Rasters of archives: read whole, with errors that name the file, and checked against another.

rasterio is imported where a file is opened, so that a dataset module stays light.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from affine import Affine

_AGAIN = "get it again"


@dataclass(frozen=True)
class Read:
    """What a file holds."""

    path: Path
    pixels: NDArray[Any]
    """(bands, rows, columns), as stored."""
    crs: Any
    """None where the file says nothing."""
    transform: Affine


def read(path: Path, bands: Sequence[int] | None = None) -> Read:
    """All bands of a raster, or those at some places (from 1); DatasetError where it is damaged."""
    with _opened(path) as raster:
        if bands is not None and max(bands) > raster.count:
            found, expected = f"{raster.count} bands", f"at least {max(bands)}"
            raise DatasetError(complain(path, found, expected, "check the archive"))
        return Read(path, raster.read(bands), raster.crs, raster.transform)


def codes_of(label: Read, image: Read) -> NDArray[np.uint8]:
    """The label codes, (rows, columns); DatasetError where they are not on the image's pixels."""
    codes = one_band(label)
    ours, theirs = codes.shape, image.pixels.shape[1:]
    if ours != theirs:
        found = f"{ours[0]} x {ours[1]} pixels"
        expected = f"{theirs[0]} x {theirs[1]}, the size of {image.path.name}"
        raise DatasetError(complain(label.path, found, expected, _AGAIN))
    if label.crs is not None and image.crs is not None:
        # a PNG has no georeference; where both have one they must agree
        far = max(abs(a - b) for a, b in zip(label.transform, image.transform, strict=True))
        if label.crs != image.crs or far > abs(image.transform.a) / 2:
            found = f"{label.crs} at {label.transform.c:.0f}, {label.transform.f:.0f}"
            expected = f"{image.crs} at {image.transform.c:.0f}, {image.transform.f:.0f}"
            remedy = f"the grid of {image.path.name}: {_AGAIN}"
            raise DatasetError(complain(label.path, found, expected, remedy))
    return codes


def one_band(label: Read) -> NDArray[np.uint8]:
    """The only band of a label raster, (rows, columns); DatasetError where it has others."""
    count, dtype = len(label.pixels), label.pixels.dtype
    if count != 1 or dtype not in (np.uint8, np.bool_):
        found, expected = f"{count} bands of {dtype}", "one band of uint8 codes"
        raise DatasetError(complain(label.path, found, expected, "check that it is the label file"))
    codes: NDArray[np.uint8] = label.pixels[0].astype(np.uint8, copy=False)
    return codes


def to_reflectance(counts: NDArray[Any], gain: float, offset: float) -> Pixels:
    """Reflectance gain * count + offset, float32; NaN where the count is 0, the agencies' fill."""
    values = counts.astype(np.float32) * np.float32(gain) + np.float32(offset)
    return np.where(counts == 0, np.float32(np.nan), values).astype(np.float32)


def metadata_beside(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of some metadata files `<name>_mtl.txt` or `<name>_MTL.txt` that is there."""
    found = (folder / f"{name}_{end}.txt" for name in names for end in ("mtl", "MTL"))
    return next((path for path in found if path.is_file()), None)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(path) as raster:
                yield raster
        except RasterioError as error:
            raise DatasetError(complain(path, str(error), "a whole raster", _AGAIN)) from error
