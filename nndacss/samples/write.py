"""Making a sample store: see `nndacss.samples.layout` for the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import NODATA, SCALE, Header, Record, create, to_row
from nndacss.samples.store import SampleStore, translated

Item = tuple[Pixels, Sets, Record]


def write_store(path: Path, header: Header, items: Iterable[Item]) -> int:
    """A new store of some samples, whole or not at all; returns how many there were."""
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file, header)
        count = 0
        for count, (pixels, sets, record) in enumerate(items, 1):
            _grow(file, count)
            file["pixels"][count - 1] = to_counts(pixels)
            file["sets"][count - 1] = sets
            file["records"][count - 1] = to_row(record, len(header.classes))
    return count


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several of the same layout, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another layout.
    """
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file, header)
        count = 0
        for part in parts:
            with SampleStore(part) as source:
                _same_layout(source, header)
                count = _append(file, source, count)
    return count


def to_counts(pixels: Pixels) -> NDArray[np.int16]:
    """Reflectance as int16 x 10000: clipped to +-3.2767, NaN (and infinite) is `NODATA`.

    >>> to_counts(np.array([[[0.12345, np.nan, 9.0]]], dtype=np.float32)).tolist()
    [[[1234, -32768, 32767]]]
    """
    seen = np.isfinite(pixels)
    counts = np.clip(np.rint(np.where(seen, pixels, 0) * SCALE), -32767, 32767)
    return np.where(seen, counts, NODATA).astype(np.int16)


def count_classes(sets: Sets, classes: int) -> tuple[int, ...]:
    """Per class, how many pixels are that class alone.

    >>> count_classes(np.array([[8, 8, 7, 1]], dtype=np.uint16), 4)
    (1, 0, 0, 2)
    """
    found = np.bincount(sets.ravel(), minlength=1 << classes)
    return tuple(int(found[1 << code]) for code in range(classes))


def _grow(file: h5py.File, count: int) -> None:
    for name in ("pixels", "sets", "records"):
        file[name].resize(count, axis=0)


def _append(file: h5py.File, source: SampleStore, count: int) -> int:
    """All samples of `source` behind the first `count`; returns the new count."""
    handle = source.handle()
    total = count + len(source)
    _grow(file, total)
    for name in ("pixels", "sets"):
        for index in range(len(source)):
            rest = (0,) * (handle[name].ndim - 1)
            with translated(source.path):
                handle[name][index]  # checks the sum: a damaged part is found here, not in training
                mask, chunk = handle[name].id.read_direct_chunk((index, *rest))
            file[name].id.write_direct_chunk((count + index, *rest), chunk, mask)
    with translated(source.path):
        records = handle["records"][()]
    file["records"][count:total] = records
    return total


def _same_layout(source: SampleStore, header: Header) -> None:
    ours = (header.roles, header.scheme, header.classes, header.side)
    theirs = source.header
    if (theirs.roles, theirs.scheme, theirs.classes, theirs.side) != ours:
        found = f"roles {theirs.roles}, {theirs.scheme}, {theirs.side} px"
        expected = f"roles {header.roles}, {header.scheme}, {header.side} px"
        raise DatasetError(
            complain(source.path, found, expected, "remove it and run MakeSamples again")
        )
