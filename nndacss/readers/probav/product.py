"""One Proba-V product, read window by window."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from h5py import h5z
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import BandError, InputError, NndacssError, complain
from nndacss.raster import Pixels
from nndacss.readers.probav import layout
from nndacss.readers.probav.status import covered

Window = tuple[slice, slice]
"""Rows and columns."""

_AGAIN = "get the file again"
_DATES = (
    ("OBSERVATION_START_DATE", "OBSERVATION_START_TIME"),
    ("SYNTHESIS_FIRST_DATE", "SYNTHESIS_FIRST_TIME"),
    ("START_DATE",),
)


class Product:
    """One opened product; close it, or use it in a `with`. Threads may share it."""

    bands = layout.BANDS

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path, self._file = path, file
        self.level: str = layout.level_of(file, path)
        """`LEVEL2A` or `LEVEL3`."""
        self.quantity: str = layout.quantity_of(file, self.level, path)
        """`TOA`, or `TOC` in syntheses that are corrected for the atmosphere."""
        self._first = file[layout.band_path(self.level, self.bands[0], self.quantity)]
        self._layers = [
            self._dataset(layout.band_path(self.level, band, self.quantity)) for band in self.bands
        ]
        self._scales = [layout.scale_of(layer, path) for layer in self._layers]
        self.grid: GeoBox = layout.grid_of(file, self._layers[0], path)
        """Pixel plane in EPSG:4326."""
        self.resolution: str = layout.resolution_of(self.grid, path)
        """`100M`, `333M` or `1KM`."""
        self.converted: bool = layout.CONVERTED in file.attrs
        """Whether it is a Landsat scene in Proba-V's layout."""
        self.origin: str | None = _attribute(file, "ORIGIN")
        """Who made the observation, where the file says so; a simulated scene does."""
        self.acquired: datetime | None = _acquired(file)
        """UTC, start of the observation."""
        name = layout.status_path(self.level)
        self._status = self._dataset(name) if name in file else None
        if self._status is None and not self.converted:
            remedy = f"{_AGAIN}; without it nobody knows where its bands have data"
            raise BandError(complain(path, f"no {name}", "the status map", remedy))
        self._clouds = self._dataset(layout.CLOUDS) if layout.CLOUDS in file else None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.grid.shape
        return rows, columns

    @property
    def status(self) -> NDArray[np.uint16] | None:
        """The whole status map, (rows, columns); None where a converted product has none."""
        return self.read_status()

    def read(self, window: Window | None = None) -> Pixels:
        """(4, rows, columns) float32 reflectance; all bands NaN where one is missing.

        Missing is a count below zero or of nodata, and in Level 2A what the status map does not
        call covered in all bands. BandError where the file is damaged there.
        """
        at = _whole(window)
        with self._translated():
            counts = [layer[at] for layer in self._layers]
            gone = ~self._covered(at, counts[0].shape)
        pixels = np.empty((len(counts), *counts[0].shape), dtype=np.float32)
        for out, count, layer, (offset, scale) in zip(
            pixels, counts, self._layers, self._scales, strict=True
        ):
            gone |= (count < 0) | (count == layout.nodata_of(layer))
            np.divide(count - np.float32(offset), np.float32(scale), out=out)
        pixels[:, gone] = np.nan
        return pixels

    def read_status(self, window: Window | None = None) -> NDArray[np.uint16] | None:
        """The status map, (rows, columns), see `status`; None where there is none."""
        if self._status is None:
            return None
        with self._translated():
            codes: NDArray[np.uint16] = self._status[_whole(window)].astype(np.uint16)
        return codes

    def read_clouds(self, window: Window | None = None) -> Pixels | None:
        """Cloud cover that a conversion carries, (rows, columns) 0 to 1, NaN where unknown."""
        if self._clouds is None:
            return None
        with self._translated():
            cover: Pixels = self._clouds[_whole(window)].astype(np.float32)
        return np.where(cover < 0, np.float32(np.nan), cover)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _covered(self, at: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        if self._status is None or self.level != "LEVEL2A":
            return np.ones(shape, dtype=np.bool_)
        return covered(self._status[at])

    def _dataset(self, name: str) -> h5py.Dataset:
        """A dataset that can be read and has the first band's size."""
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2:
            found = f"{name} without rows and columns"
            raise BandError(complain(self.path, found, "an image", _AGAIN))
        shape = self._first.shape
        if dataset.shape != shape:
            found = f"{name} of {dataset.shape[0]} x {dataset.shape[1]} pixels"
            expected = f"{shape[0]} x {shape[1]}, as {self.bands[0]}"
            raise BandError(complain(self.path, found, expected, _AGAIN))
        if dataset.compression == "szip" and not h5z.filter_avail(h5z.FILTER_SZIP):
            remedy = "install h5py from PyPI (pip install --force-reinstall h5py)"
            raise BandError(
                complain(self.path, f"{name} packed with szip", "an HDF5 library with szip", remedy)
            )
        return dataset

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, KeyError) as error:
            if isinstance(error, NndacssError):
                raise
            found = f"what HDF5 cannot read ({str(error)[:200]})"
            raise BandError(complain(self.path, found, "a whole product", _AGAIN)) from error


def open_product(path: str | os.PathLike[str]) -> Product:
    """The product at `path`.

    InputError where there is none, or it is no whole HDF5 file; BandError or MetadataError, which
    are InputErrors, where a band, the status map, scale or place is missing or of no use.
    """
    place = Path(path)
    if not place.is_file():
        expected = "a Proba-V product, one HDF5 file"
        raise InputError(complain(place, "no such file", expected, "check the path"))
    if not h5py.is_hdf5(place):
        expected = "a Proba-V product in HDF5"
        found = f"{place.stat().st_size} bytes that are no HDF5 file"
        raise InputError(complain(place, found, expected, "check the path, or get it again"))
    try:
        file = h5py.File(place, "r", locking=False)
    except OSError as error:
        found = f"a damaged HDF5 file ({str(error)[:200]})"
        raise InputError(complain(place, found, "a whole product", _AGAIN)) from error
    try:
        return Product(place, file)
    except (OSError, RuntimeError, KeyError) as error:
        file.close()
        if isinstance(error, NndacssError):
            raise
        found = f"what HDF5 cannot read ({str(error)[:200]})"
        raise InputError(complain(place, found, "a whole product", _AGAIN)) from error
    except NndacssError:
        file.close()
        raise


def _whole(window: Window | None) -> Window:
    return (slice(None), slice(None)) if window is None else window


def _attribute(file: h5py.File, name: str) -> str | None:
    value: Any = file.attrs.get(name)
    if value is None:
        return None
    if not isinstance(value, (str, bytes)):
        value = value.ravel()[0] if getattr(value, "size", 0) else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _acquired(file: h5py.File) -> datetime | None:
    for names in _DATES:
        words = [_attribute(file, name) for name in names]
        try:
            stated = datetime.fromisoformat(" ".join(word for word in words if word))
        except ValueError:
            continue
        return stated.replace(tzinfo=UTC) if stated.tzinfo is None else stated.astimezone(UTC)
    return None
