"""Making a pair store: see `nndacss.pairs.layout` for the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py

from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.pairs.layout import ARRAYS, Header, create, grow, to_row
from nndacss.pairs.source import Pair
from nndacss.pairs.store import PairStore, translated
from nndacss.samples.write import to_counts


def write_store(path: Path, header: Header, pairs: Iterable[Pair]) -> int:
    """A new store of some pairs, whole or not at all; returns how many there were."""
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file, header)
        count = 0
        for count, pair in enumerate(pairs, 1):
            grow(file, count)
            file["inputs"][count - 1] = to_counts(pair.inputs)
            file["target"][count - 1] = to_counts(pair.target)
            file["records"][count - 1] = to_row(pair.record)
    return count


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several of the same side, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another side.
    """
    with drafted(path) as draft, h5py.File(draft, "w", locking=False) as file:
        create(file, header)
        count = 0
        for part in parts:
            with PairStore(part) as source:
                if source.side != header.side:
                    remedy = "remove it and run MakePairs again"
                    found, expected = f"pairs of {source.side} pixels", f"{header.side}"
                    raise DatasetError(complain(part, found, expected, remedy))
                count = _append(file, source, count)
    return count


def _append(file: h5py.File, source: PairStore, count: int) -> int:
    """All pairs of `source` behind the first `count`; returns the new count."""
    handle = source.handle()
    total = count + len(source)
    grow(file, total)
    for name in ARRAYS:
        for index in range(len(source)):
            with translated(source.path):
                handle[name][index]  # checks the sum: a damaged part is found here, not in training
                mask, chunk = handle[name].id.read_direct_chunk((index, 0, 0, 0))
            file[name].id.write_direct_chunk((count + index, 0, 0, 0), chunk, mask)
    with translated(source.path):
        records = handle["records"][()]
    file["records"][count:total] = records
    return total
