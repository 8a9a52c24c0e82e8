"""Band files by windows: opened once a thread, read, and put onto any grid.

GDAL's dataset handles may not be shared by threads, so each thread (and each process after a
fork) has its own; they close with the thread. Sidecar files are not looked at: what a product is
must not depend on what else lies beside it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
from nndacss.readers.landsat.georeference import Header
from nndacss.readers.landsat.metadata import BandEntry
from nndacss.tile.warp import Kernel, nearest, source_window, warp

_REMEDY = "order the product again, or unpack it anew"
_CHUNK = 1024
_opening = threading.Lock()


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
            opened[path] = _open(path, file)
        return opened[path]


def _open(path: str, file: str) -> DatasetReader:
    try:
        # catch_warnings swaps a global, hence the lock; it is held for about a millisecond
        with _opening, warnings.catch_warnings(), _environment():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return rasterio.open(path, driver="GTiff")
    except RasterioError as error:
        raise _unreadable(file, error) from error


def _environment() -> rasterio.Env:
    return rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")


def _unreadable(file: str, error: Exception) -> BandError:
    reason = str(error.__cause__ or error)
    return BandError(complain(file, f"an unreadable file ({reason})", "a whole GeoTIFF", _REMEDY))


def read_header(handles: Handles, path: str, file: str) -> Header:
    """What the file says of itself; it must hold one band of 16-bit integers."""
    dataset = handles.get(path, file)
    if dataset.count != 1 or dataset.dtypes[0] not in ("uint16", "int16"):
        found = f"{dataset.count} band(s) of {dataset.dtypes[0]}"
        raise BandError(complain(file, found, "one band of uint16 (or int16)", _REMEDY))
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
    entry: BandEntry | None = None
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
            with _open(self.path, self.header.file) as dataset:
                yield self._read(dataset, Window(0, first, width, min(step, height - first)))

    def _read(self, dataset: DatasetReader, window: Window) -> NDArray[Any]:
        try:
            numbers: NDArray[Any] = dataset.read(1, window=window)
        except RasterioError as error:
            raise _unreadable(self.header.file, error) from error
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


def read_pixels(layers: Sequence[Layer], grid: GeoBox, kernel: Kernel) -> Pixels:
    """(bands, rows, columns) calibrated on `grid`; all `layers` share one grid."""
    src = layers[0].grid
    rows, columns = needed(src, grid)
    pixels = np.stack([layer.calibrated(layer.window(rows, columns)) for layer in layers])
    if same_lattice(src, grid) is None:
        return warp(pixels, part_of(src, rows, columns), grid, kernel)
    result = np.full((len(layers), *grid.shape), np.nan, dtype=np.float32)
    _paste(pixels, src, grid, rows, columns, result)
    return result


def read_codes(layer: Layer, grid: GeoBox, fill: int) -> NDArray[Any]:
    """(rows, columns) raw numbers on `grid` by nearest neighbour, `fill` outside."""
    rows, columns = needed(layer.grid, grid)
    return put_codes(layer.window(rows, columns), layer.grid, (rows, columns), grid, fill)


def put_codes(
    codes: NDArray[Any], src: GeoBox, window: tuple[slice, slice], grid: GeoBox, fill: int
) -> NDArray[Any]:
    """Codes of a `window` of `src`, as `needed` says, on `grid`; `fill` outside."""
    rows, columns = window
    result: NDArray[Any] = np.full((1, *grid.shape), fill, dtype=codes.dtype)
    if same_lattice(src, grid) is None:
        result = nearest(codes[None], part_of(src, rows, columns), grid, fill)
    else:
        _paste(codes[None], src, grid, rows, columns, result)
    band: NDArray[Any] = result[0]
    return band


def needed(src: GeoBox, grid: GeoBox) -> tuple[slice, slice]:
    """Rows and columns of `src` that `grid` needs."""
    start = same_lattice(src, grid)
    if start is None:
        return source_window(src, grid)
    rows, columns = (
        slice(min(max(first, 0), size), min(max(first + count, 0), size))
        for first, count, size in zip(start, grid.shape, src.shape, strict=True)
    )
    return rows, columns


def same_lattice(src: GeoBox, grid: GeoBox) -> tuple[int, int] | None:
    """Row and column of `src` where `grid` starts, if its pixels are pixels of `src`."""
    if src.crs != grid.crs:
        return None
    move = ~src.affine @ grid.affine
    if not move.almost_equals(Affine.translation(round(move.c), round(move.f)), precision=1e-6):
        return None
    return round(move.f), round(move.c)


def part_of(src: GeoBox, rows: slice, columns: slice) -> GeoBox:
    """The grid of a window."""
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return GeoBox(shape, src.affine @ Affine.translation(columns.start, rows.start), src.crs)


def _paste(
    bands: NDArray[Any],
    src: GeoBox,
    grid: GeoBox,
    rows: slice,
    columns: slice,
    result: NDArray[Any],
) -> None:
    """A window of `src` to its place in `result`, which lies on `grid`, without resampling."""
    start = same_lattice(src, grid)
    if start is not None:
        top, left = rows.start - start[0], columns.start - start[1]
        height, width = bands.shape[1:]
        result[:, top : top + height, left : left + width] = bands
