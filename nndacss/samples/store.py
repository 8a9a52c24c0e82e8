"""Reading a sample store: see `nndacss.samples.layout` for the file, `write` for making one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import (
    FORMAT,
    NODATA,
    SCALE,
    VERSION,
    Header,
    Record,
    read_header,
    to_record,
)

__all__ = ["Header", "Record", "SampleStore"]

_REMEDY = "remove it and run MakeSamples again"


class SampleStore:
    """A store, open for reading. Any number of readers, in threads and processes.

    It can be pickled and forked: each process opens the file for itself, at its first read.
    DatasetError at once where the file is missing, truncated, of another version or not ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with translated(self.path):
            file = _open(self.path)
            self._owner, self._file = os.getpid(), file
            _check(self.path, file)
            self.header = read_header(file)
            self._count = int(file["pixels"].shape[0])

    @property
    def roles(self) -> tuple[str, ...]:
        """One a band."""
        return self.header.roles

    @property
    def scheme(self) -> str:
        """Module of `nndacss.labels`."""
        return self.header.scheme

    def __len__(self) -> int:
        return self._count

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """One a sample, in order."""
        with translated(self.path):
            rows = self.handle()["records"][()]
        return tuple(to_record(row) for row in rows)

    def read(self, index: int) -> tuple[Pixels, Sets]:
        """(bands, side, side) float32 reflectance, NaN missing, and (side, side) label sets."""
        counts, sets = self.read_raw(index)
        pixels = counts.astype(np.float32) / np.float32(SCALE)
        pixels[counts == NODATA] = np.nan
        return pixels, sets

    def read_raw(self, index: int) -> tuple[NDArray[np.int16], Sets]:
        """The same as stored: int16 counts, `NODATA` where missing, and sets."""
        if not 0 <= index < self._count:
            raise IndexError(f"{self.path}: sample {index} of {self._count}")
        with translated(self.path):
            file = self.handle()
            return file["pixels"][index], file["sets"][index]

    def close(self) -> None:
        """Close this process's handle; the next read opens it again."""
        if self._file is not None and self._owner == os.getpid():
            self._file.close()
        self._file = None

    def handle(self) -> h5py.File:
        """This process's open file."""
        # a handle that came through a fork shares its state with the parent's: open our own
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = _open(self.path), os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def __enter__(self) -> SampleStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path) -> h5py.File:
    """For reading, without a file lock: shared disks often have none, and a store is immutable."""
    if not path.is_file():
        remedy = "run MakeSamples, or check the path"
        raise DatasetError(complain(path, "no such file", "a sample store", remedy))
    return h5py.File(path, "r", locking=False)


def _check(path: Path, file: h5py.File) -> None:
    kind = file.attrs.get("format")
    if kind != FORMAT:
        found = f"an HDF5 file of format {kind!r}" if kind else "an HDF5 file of another program"
        raise DatasetError(complain(path, found, f"format {FORMAT!r}", "check the path"))
    if file.attrs.get("version") != VERSION:
        found = f"version {file.attrs.get('version')} of the format"
        raise DatasetError(complain(path, found, f"version {VERSION}", _REMEDY))
    needed = {"roles", "scheme", "classes", "side", "recipe"} - set(file.attrs)
    needed |= {"pixels", "sets", "records"} - set(file)
    if needed:
        found = f"nothing under {', '.join(sorted(needed))}"
        raise DatasetError(complain(path, found, "a whole sample store", _REMEDY))
    header = read_header(file)
    window = (header.side, header.side)
    count = file["pixels"].shape[0]
    found_all = [(file[name].shape, file[name].dtype) for name in ("pixels", "sets")]
    wanted = [((count, len(header.roles), *window), np.int16), ((count, *window), np.uint16)]
    if found_all != wanted or file["records"].shape != (count,):
        shapes = f"shapes {[shape for shape, _ in found_all]}, {file['records'].shape}"
        raise DatasetError(complain(path, shapes, f"{[w[0] for w in wanted]}", _REMEDY))


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """HDF5's errors as ours: a truncated file is an OSError, damaged metadata are the others."""
    try:
        yield
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        found = f"what HDF5 cannot read ({str(error)[:200]})"
        raise DatasetError(complain(path, found, "a whole sample store", _REMEDY)) from error
