"""Cloud labels by hand, read by rows: 1 cloud, 0 not, NaN without label.

L8 Biome's `fixedmask`: 0 fill, 64 shadow, 128 clear, 192 thin cloud, 255 cloud. 38-Cloud's
`edited_corrected_gts`: 0 fill, 1 not cloud, 2 cloud, or in another copy 0 not cloud, 1 (or 255)
cloud, where nothing says what is fill.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from nndacss.datasets.envi import envi
from nndacss.errors import DatasetError, complain
from nndacss.raster import Pixels

_NONE = float("nan")
_BIOME = {0: _NONE, 64: 0.0, 128: 0.0, 192: 1.0, 255: 1.0}
_TWO = {0: 0.0, 1: 1.0, 255: 1.0}
_THREE = {0: _NONE, 1: 0.0, 2: 1.0}
_STRIP = 1024


class Clouds(Protocol):
    """Labels of a whole scene."""

    shape: tuple[int, int]

    def rows(self, rows: slice) -> Pixels:
        """(rows, columns) float32; DatasetError where a code is unknown or the file damaged."""
        ...


def open_clouds(path: Path, shape: tuple[int, int]) -> Clouds:
    """The labels in a `.img` (Biome) or `.TIF` (38-Cloud); DatasetError where the size differs."""
    clouds: Clouds = _Biome(path) if path.suffix.lower() == ".img" else _Cloud38(path)
    if clouds.shape != shape:
        found = f"{clouds.shape[0]} x {clouds.shape[1]} pixels"
        expected = f"{shape[0]} x {shape[1]}, the size of the bands"
        raise DatasetError(complain(path, found, expected, "get the labels of this scene"))
    return clouds


class _Biome:
    def __init__(self, path: Path) -> None:
        self._mask = envi(path)
        self.shape = self._mask.shape

    def rows(self, rows: slice) -> Pixels:
        return _meaning(np.asarray(self._mask.pixels()[rows]), _BIOME, self._mask.path)


class _Cloud38:
    def __init__(self, path: Path) -> None:
        self._path = path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with self._opened() as raster:
                if raster.count != 1 or raster.dtypes[0] != "uint8":
                    found = f"{raster.count} bands of {raster.dtypes[0]}"
                    remedy = "check that it is the label file"
                    raise DatasetError(complain(path, found, "one band of uint8 codes", remedy))
                self.shape: tuple[int, int] = raster.shape
        self._table = _THREE if self._has_two() else _TWO

    def rows(self, rows: slice) -> Pixels:
        return _meaning(self._codes(rows), self._table, self._path)

    def _has_two(self) -> bool:
        """Whether code 2 occurs, which only the copy with fill has."""
        height = self.shape[0]
        strips = (slice(top, min(top + _STRIP, height)) for top in range(0, height, _STRIP))
        return any(bool((self._codes(strip) == 2).any()) for strip in strips)

    def _codes(self, rows: slice) -> NDArray[np.uint8]:
        with self._opened() as raster:
            window = Window(0, rows.start, self.shape[1], rows.stop - rows.start)
            try:
                codes: NDArray[np.uint8] = raster.read(1, window=window)
            except RasterioError as error:
                raise self._damaged(error) from error
        return codes

    def _opened(self) -> Any:
        try:
            return rasterio.open(self._path)
        except RasterioError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DatasetError:
        return DatasetError(complain(self._path, str(error), "a whole raster", "get it again"))


def _meaning(codes: NDArray[np.uint8], table: Mapping[int, float], path: Path) -> Pixels:
    known = np.zeros(256, dtype=np.bool_)
    values = np.full(256, np.nan, dtype=np.float32)
    for code, value in table.items():
        known[code], values[code] = True, value
    if not known[codes].all():
        found = f"label code {int(codes[~known[codes]][0])}"
        expected = f"codes {', '.join(str(code) for code in table)}"
        raise DatasetError(complain(path, found, expected, "check that it is the label file"))
    return values[codes]
