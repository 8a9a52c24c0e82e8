"""Stores in HDF5: one chunk an element and array, for reads in any order, and parts that join.

A store is one immutable file: some arrays whose first axis counts the elements (samples, pairs),
a table `records` with a row for each, and a header in the file's attributes, among them `format`
and `version`. A kind of store has a `layout` module, which says what its arrays and records hold,
a subclass of `Store` to read it, and writes by `write` and `join`.

Every chunk carries a checksum (fletcher32), so that a damaged disk is an error and not a strange
pixel. Compression is byte shuffle with gzip 1: on the L8 Biome chips it reads as fast as lzf
(2.7 ms of CPU a sample of 256 px and six bands; 0.6 ms uncompressed), needs 0.51 of the raw size
where lzf needs 0.60, and any HDF5 program reads it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted

#: The table beside the arrays.
RECORDS = "records"

H = TypeVar("H")
"""A store's header."""
R = TypeVar("R")
"""A store's record."""
S = TypeVar("S", bound="Store[Any, Any]")


class Store(ABC, Generic[H, R]):
    """A store, open for reading. Any number of readers, in threads and processes.

    It can be pickled and forked: each process opens the file for itself, at its first read.
    DatasetError at once where the file is missing, truncated, of another version or not ours.
    """

    noun: ClassVar[str]
    """What an element is, for messages."""
    task: ClassVar[str]
    """The task that makes the store, for messages."""
    form: ClassVar[tuple[str, int]]
    """`format` and `version` of the files."""
    attributes: ClassVar[frozenset[str]]
    """The header's names in the file."""
    arrays: ClassVar[tuple[str, ...]]
    """Names of the arrays."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self.translated():
            file = self._open()
            self._owner, self._file = os.getpid(), file
            self._check_form(file)
            self._check(file)
            self.header: H = self._read_header(file)
            self._count = int(file[self.arrays[0]].shape[0])

    @abstractmethod
    def _check(self, file: h5py.File) -> None:
        """DatasetError where arrays and header do not fit each other; all of them are there."""

    @staticmethod
    @abstractmethod
    def _read_header(file: h5py.File) -> H:
        """The header of an open file."""

    @staticmethod
    @abstractmethod
    def _to_record(row: Any) -> R:
        """An element of the table as a record."""

    def __len__(self) -> int:
        return self._count

    @cached_property
    def records(self) -> tuple[R, ...]:
        """One an element, in order."""
        return tuple(self._to_record(row) for row in self.rows())

    def rows(self) -> NDArray[Any]:
        """The table of records as it is stored."""
        with self.translated():
            rows: NDArray[Any] = self.handle()[RECORDS][()]
        return rows

    def element(self, index: int) -> tuple[NDArray[Any], ...]:
        """One element as stored, in the order of `arrays`; IndexError where there is none."""
        if not 0 <= index < self._count:
            raise IndexError(f"{self.path}: {self.noun} {index} of {self._count}")
        with self.translated():
            file = self.handle()
            return tuple(file[name][index] for name in self.arrays)

    def close(self) -> None:
        """Close this process's handle; the next read opens it again."""
        if self._file is not None and self._owner == os.getpid():
            self._file.close()
        self._file = None

    def handle(self) -> h5py.File:
        """This process's open file."""
        # a handle that came through a fork shares its state with the parent's: open our own
        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = self._open(), os.getpid()
        return self._file

    @contextmanager
    def translated(self) -> Iterator[None]:
        """HDF5's errors as ours: a truncated file is an OSError, damaged metadata the others."""
        try:
            yield
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            if isinstance(error, DatasetError):
                raise
            found = f"what HDF5 cannot read ({str(error)[:200]})"
            raise self.damaged(found, f"a whole {self.noun} store") from error

    def damaged(self, found: str, expected: str) -> DatasetError:
        """The error of a file that is of no use."""
        remedy = f"remove it and run {self.task} again"
        return DatasetError(complain(self.path, found, expected, remedy))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> h5py.File:
        """Without a file lock: shared disks often have none, and a store is immutable."""
        if not self.path.is_file():
            expected, remedy = f"a {self.noun} store", f"run {self.task}, or check the path"
            raise DatasetError(complain(self.path, "no such file", expected, remedy))
        return h5py.File(self.path, "r", locking=False)

    def _check_form(self, file: h5py.File) -> None:
        kind, (ours, version) = file.attrs.get("format"), self.form
        if kind != ours:
            of_whom = f"of format {kind!r}" if kind else "of another program"
            found = f"an HDF5 file {of_whom}"
            raise DatasetError(complain(self.path, found, f"format {ours!r}", "check the path"))
        if file.attrs.get("version") != version:
            found = f"version {file.attrs.get('version')} of the format"
            raise self.damaged(found, f"version {version}")
        absent = self.attributes - set(file.attrs)
        absent |= {*self.arrays, RECORDS} - set(file)
        if absent:
            found = f"nothing under {', '.join(sorted(absent))}"
            raise self.damaged(found, f"a whole {self.noun} store")


def add_array(file: h5py.File, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """An array without elements yet, each of `shape`: one chunk, with a checksum."""
    file.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(1, *shape),
        dtype=dtype,
        shuffle=True,
        fletcher32=True,
        compression="gzip",
        compression_opts=1,
    )


def add_records(file: h5py.File, columns: np.dtype[Any]) -> None:
    """A table without rows yet."""
    file.create_dataset(RECORDS, shape=(0,), maxshape=(None,), chunks=(256,), dtype=columns)


def fields_of(row: Any) -> dict[str, Any]:
    """A row of the table in Python's own types, by column; several numbers are a list."""
    return {
        name: row[name].decode() if isinstance(row[name], bytes) else row[name].tolist()
        for name in row.dtype.names
    }


def write(
    path: Path, create: Callable[[h5py.File], None], elements: Iterable[Mapping[str, Any]]
) -> int:
    """A new store, whole or not at all; returns the number of its elements.

    `create` makes the empty arrays and the table; an element holds a value for each by name.
    """
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file)
        count = 0
        for count, element in enumerate(elements, 1):
            _grow(file, element, count)
            for name, value in element.items():
                file[name][count - 1] = value
    return count


def join(
    path: Path,
    create: Callable[[h5py.File], None],
    parts: Iterable[Path],
    opened: Callable[[Path], S],
    check: Callable[[S], None],
) -> int:
    """One store of several, chunks copied as they are; returns the number of its elements.

    Whole or not at all. DatasetError names a part that is damaged; `check` raises for one that
    does not fit.
    """
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file)
        count = 0
        for part in parts:
            with opened(part) as source:
                check(source)
                count = _append(file, source, count)
    return count


def _append(file: h5py.File, source: Store[Any, Any], count: int) -> int:
    """All elements of `source` behind the first `count`; returns the new count."""
    handle = source.handle()
    total = count + len(source)
    _grow(file, (*source.arrays, RECORDS), total)
    for name in source.arrays:
        rest = (0,) * (handle[name].ndim - 1)
        for index in range(len(source)):
            with source.translated():
                handle[name][index]  # checks the sum: a damaged part is found here, not in training
                mask, chunk = handle[name].id.read_direct_chunk((index, *rest))
            file[name].id.write_direct_chunk((count + index, *rest), chunk, mask)
    file[RECORDS][count:total] = source.rows()
    return total


def _grow(file: h5py.File, names: Iterable[str], count: int) -> None:
    for name in names:
        file[name].resize(count, axis=0)
