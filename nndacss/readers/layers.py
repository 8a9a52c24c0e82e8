"""Band files by windows: opened once a thread, read, calibrated.

GDAL's dataset handles may not be shared by threads, so each thread (and each process after a
fork) has its own; they close with the thread. Sidecar files are not looked at: what a product is
must not depend on what else lies beside it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from nndacss.errors import BandError, complain
from nndacss.raster import Pixels

# GDAL would write `<archive>.properties` beside a .tar.gz that is read in place, whenever that is
os.environ.setdefault("CPL_VSIL_GZIP_WRITE_PROPERTIES", "NO")

_REMEDY = "order the product again, or unpack it anew"
_CHUNK = 1024
_opening = threading.Lock()


class Calibration(Protocol):
    """How a band's numbers become physical.

    value = gain * DN + offset; where `k1` and `k2` are given that is a spectral radiance
    (W m-2 sr-1 um-1) and the temperature is k2 / ln(k1 / radiance + 1), kelvin.
    """

    @property
    def gain(self) -> float:
        """Factor of the DN."""
        ...

    @property
    def offset(self) -> float:
        """What is added after the factor."""
        ...

    @property
    def k1(self) -> float | None:
        """Thermal constant 1, None for a reflective band."""
        ...

    @property
    def k2(self) -> float | None:
        """Thermal constant 2, None for a reflective band."""
        ...


@dataclass(frozen=True)
class Header:
    """What a raster file says of itself."""

    file: str
    shape: tuple[int, int]
    dtype: str
    crs: str | None
    """`EPSG:n` or WKT; None where the file has none."""
    affine: Affine
    nodata: float | None


class Handles:
    """Open datasets, a set per thread and process."""

    def __init__(self) -> None:
        self._local = threading.local()

    def get(self, path: str, file: str) -> DatasetReader:
        """The dataset at the GDAL path `path`; `file` is its name in messages."""
        if getattr(self._local, "process", None) != os.getpid():
            self._local.process, self._local.open = os.getpid(), {}
        opened: dict[str, DatasetReader] = self._local.open
        if path not in opened:
            opened[path] = self.open(path, file)
        return opened[path]

    def open(self, path: str, file: str) -> DatasetReader:
        """A dataset of the caller's own, to be closed by it."""
        if _in_place(path):
            inplace().bring_headers(path)
        try:
            # catch_warnings swaps a global, hence the lock; it is held for about a millisecond
            with _opening, warnings.catch_warnings(), _environment():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                return rasterio.open(path, driver=_format(file)[0])
        except RasterioError as error:
            raise self.unreadable(path, file, error) from error

    def unreadable(self, path: str, file: str, error: Exception) -> BandError:
        """What GDAL could not read, as our error."""
        found = f"an unreadable file ({error.__cause__ or error})"
        if _in_place(path):
            inplace().forget(path)
            remedy = "run again, which reads it anew, or fetch the scene whole"
            return BandError(complain(f"{file}, read in place", found, "a whole one", remedy))
        return BandError(complain(file, found, f"a whole {_format(file)[1]}", _REMEDY))


def _in_place(path: str) -> bool:
    """Whether an image is read where it is, see `nndacss.acquire.inplace`."""
    if "/.remote/" not in path:
        return False
    place = Path(path)
    return place.with_name(f".remote-{place.name}.json").exists()


def inplace() -> ModuleType:
    """`nndacss.acquire.inplace`, which few scenes need."""
    from nndacss.acquire import inplace

    return inplace


def _format(file: str) -> tuple[str, str]:
    """The GDAL driver for a file and its name for people; no other driver may open it."""
    if file.lower().endswith(".jp2"):
        return "JP2OpenJPEG", "JPEG 2000 file"
    return "GTiff", "GeoTIFF"


def _environment() -> rasterio.Env:
    return rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")


def read_header(
    handles: Handles, path: str, file: str, dtypes: tuple[str, ...] = ("uint16", "int16")
) -> Header:
    """What the file says of itself; it must hold one band of one of `dtypes`, the usual first."""
    dataset = handles.get(path, file)
    if dataset.count != 1 or dataset.dtypes[0] not in dtypes:
        found = f"{dataset.count} band(s) of {dataset.dtypes[0]}"
        expected = f"one band of {dtypes[0]}" + "".join(f" (or {other})" for other in dtypes[1:])
        raise BandError(complain(file, found, expected, _REMEDY))
    crs = None
    if dataset.crs:
        epsg = dataset.crs.to_epsg()
        crs = f"EPSG:{epsg}" if epsg else dataset.crs.to_wkt()
    return Header(file, dataset.shape, dataset.dtypes[0], crs, dataset.transform, dataset.nodata)


@dataclass(frozen=True, eq=False)
class Layer:
    """One file on its grid."""

    handles: Handles
    path: str
    header: Header
    grid: GeoBox
    entry: Calibration | None = None
    """How to calibrate; None for quality and angle files."""

    def window(self, rows: slice, columns: slice) -> NDArray[Any]:
        """(rows, columns) raw numbers."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not height or not width:
            return np.empty((height, width), dtype=self.header.dtype)
        dataset = self.handles.get(self.path, self.header.file)
        return self._read(dataset, Window(columns.start, rows.start, width, height))

    def chunks(self) -> Iterator[NDArray[Any]]:
        """The whole file in strips of about a thousand rows, cut where its blocks are.

        The file is opened anew for each, since GDAL keeps the blocks of open files in memory.
        """
        height, width = self.header.shape
        block = int(self.handles.get(self.path, self.header.file).block_shapes[0][0])
        step = max(_CHUNK // block, 1) * block
        for first in range(0, height, step):
            with self.handles.open(self.path, self.header.file) as dataset:
                yield self._read(dataset, Window(0, first, width, min(step, height - first)))

    def _read(self, dataset: DatasetReader, window: Window) -> NDArray[Any]:
        if _in_place(self.path):
            first, left = window.row_off, window.col_off
            rows, columns = range(first, first + window.height), range(left, left + window.width)
            inplace().bring_window(self.path, dataset, rows, columns)
        try:
            numbers: NDArray[Any] = dataset.read(1, window=window)
        except RasterioError as error:
            raise self.handles.unreadable(self.path, self.header.file, error) from error
        return numbers

    def missing(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """Where there is no observation: DN 0, the file's own nodata value, negative numbers."""
        gone: NDArray[np.bool_] = numbers <= 0
        nodata = self.header.nodata
        if nodata is not None and nodata > 0:
            gone |= numbers == nodata
        return gone

    def calibrated(self, numbers: NDArray[Any]) -> Pixels:
        """float32 reflectance or kelvin, NaN where missing; right to about 1e-7 of the value."""
        entry = self.entry
        if entry is None:
            raise BandError(complain(self.header.file, "no coefficients", "a band", _REMEDY))
        pixels = numbers.astype(np.float32)
        pixels *= np.float32(entry.gain)
        pixels += np.float32(entry.offset)
        if entry.k1 is not None and entry.k2 is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                pixels = np.float32(entry.k2) / np.log1p(np.float32(entry.k1) / pixels)
        pixels[self.missing(numbers)] = np.nan
        return pixels
