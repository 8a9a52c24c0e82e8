"""Making a pair store: see `nndacss.pairs.layout` for the file."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from nndacss.hdf5 import RECORDS, join, write
from nndacss.pairs.layout import Header, create, to_row
from nndacss.pairs.source import Pair
from nndacss.pairs.store import PairStore
from nndacss.samples.layout import to_counts


def write_store(path: Path, header: Header, pairs: Iterable[Pair]) -> int:
    """A new store of some pairs, whole or not at all; returns how many there were."""
    elements = (
        {
            "inputs": to_counts(pair.inputs),
            "target": to_counts(pair.target),
            RECORDS: to_row(pair.record),
        }
        for pair in pairs
    )
    return write(path, partial(create, header=header), elements)


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several of the same side, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another side.
    """

    def same_side(source: PairStore) -> None:
        if source.side != header.side:
            raise source.damaged(f"pairs of {source.side} pixels", f"{header.side}")

    return join(path, partial(create, header=header), parts, PairStore, same_side)
