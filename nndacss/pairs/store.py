"""Reading a pair store: see `nndacss.pairs.layout` for the file, `write` for making one."""

from __future__ import annotations

import json
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
from nndacss.pairs.layout import ARRAYS, FORMAT, VERSION, Header, read_header, to_record
from nndacss.pairs.source import INPUTS, ROLES, Pair, PairRecord
from nndacss.raster import Pixels
from nndacss.samples.layout import NODATA, SCALE

__all__ = ["Header", "Pair", "PairRecord", "PairStore"]

_REMEDY = "remove it and run MakePairs again"


class PairStore:
    """A store, open for reading. Any number of readers, in threads and processes.

    It can be pickled and forked: each process opens the file for itself, at its first read.
    DatasetError at once where the file is missing, truncated, of another version or not ours.
    """

    inputs = INPUTS
    """Bands of the input, pan last."""
    roles = ROLES
    """Bands of the target."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with translated(self.path):
            file = _open(self.path)
            self._owner, self._file = os.getpid(), file
            _check(self.path, file)
            self.header = read_header(file)
            self._count = int(file["inputs"].shape[0])

    @property
    def side(self) -> int:
        """Rows and columns of every pair."""
        return self.header.side

    def __len__(self) -> int:
        return self._count

    @cached_property
    def records(self) -> tuple[PairRecord, ...]:
        """One a pair, in order."""
        with translated(self.path):
            rows = self.handle()["records"][()]
        return tuple(to_record(row) for row in rows)

    def read(self, index: int) -> tuple[Pixels, Pixels]:
        """Input (7, side, side) and target (6, side, side), float32 reflectance, NaN missing."""
        inputs, target = self.read_raw(index)
        return to_reflectance(inputs), to_reflectance(target)

    def read_raw(self, index: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """The same as stored: int16 counts, -32768 where missing."""
        if not 0 <= index < self._count:
            raise IndexError(f"{self.path}: pair {index} of {self._count}")
        with translated(self.path):
            file = self.handle()
            return file["inputs"][index], file["target"][index]

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

    def __enter__(self) -> PairStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def to_reflectance(counts: NDArray[np.int16]) -> Pixels:
    """Stored counts as float32 reflectance, NaN where missing.

    >>> to_reflectance(np.array([2500, -32768], dtype=np.int16)).tolist()
    [0.25, nan]
    """
    pixels: Pixels = counts.astype(np.float32) / np.float32(SCALE)
    pixels[counts == NODATA] = np.nan
    return pixels


def _open(path: Path) -> h5py.File:
    """For reading, without a file lock: shared disks often have none, and a store is immutable."""
    if not path.is_file():
        remedy = "run MakePairs, or check the path"
        raise DatasetError(complain(path, "no such file", "a pair store", remedy))
    return h5py.File(path, "r", locking=False)


def _check(path: Path, file: h5py.File) -> None:
    kind = file.attrs.get("format")
    if kind != FORMAT:
        found = f"an HDF5 file of format {kind!r}" if kind else "an HDF5 file of another program"
        raise DatasetError(complain(path, found, f"format {FORMAT!r}", "check the path"))
    if file.attrs.get("version") != VERSION:
        found = f"version {file.attrs.get('version')} of the format"
        raise DatasetError(complain(path, found, f"version {VERSION}", _REMEDY))
    needed = {"side", "inputs", "roles", "recipe"} - set(file.attrs)
    needed |= {*ARRAYS, "records"} - set(file)
    if needed:
        found = f"nothing under {', '.join(sorted(needed))}"
        raise DatasetError(complain(path, found, "a whole pair store", _REMEDY))
    for name, ours in (("inputs", INPUTS), ("roles", ROLES)):
        theirs = tuple(json.loads(file.attrs[name]))
        if theirs != ours:
            found = f"{name} {', '.join(theirs)}"
            raise DatasetError(complain(path, found, ", ".join(ours), _REMEDY))
    side, count = int(file.attrs["side"]), file["records"].shape[0]
    for name, bands in ARRAYS.items():
        found_as, expected = (file[name].shape, file[name].dtype), (count, bands, side, side)
        if found_as != (expected, np.int16):
            found = f"{name} {found_as[0]} {found_as[1]}"
            raise DatasetError(complain(path, found, f"{expected} int16", _REMEDY))


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """HDF5's errors as ours: a truncated file is an OSError, damaged metadata are the others."""
    try:
        yield
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        found = f"what HDF5 cannot read ({str(error)[:200]})"
        raise DatasetError(complain(path, found, "a whole pair store", _REMEDY)) from error
