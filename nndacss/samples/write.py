"""Making a sample store: see `nndacss.samples.layout` for the file."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.hdf5 import RECORDS, join, write
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import WEIGHTS, Header, Record, create, to_counts, to_percent, to_row
from nndacss.samples.store import SampleStore, WeightedStore

Weight = NDArray[np.float32]
Item = tuple[Pixels, Sets, Record] | tuple[Pixels, Sets, Record, Weight | None]
"""The last, where it is there: (side, side) how sure each label is, 0..1."""


def write_store(path: Path, header: Header, items: Iterable[Item]) -> int:
    """A new store of some samples, whole or not at all; returns how many there were.

    In a weighted store, labels of samples without weights are as sure as can be.
    """
    elements = (_element(header, *item) for item in items)
    return write(path, partial(create, header=header), elements)


def _element(
    header: Header, pixels: Pixels, sets: Sets, record: Record, weight: Weight | None = None
) -> dict[str, Any]:
    element = {
        "pixels": to_counts(pixels),
        "sets": sets,
        RECORDS: to_row(record, len(header.classes)),
    }
    if header.weighted:
        sure = np.ones(sets.shape, dtype=np.float32) if weight is None else weight
        element[WEIGHTS] = to_percent(sure)
    return element


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several of the same layout, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another layout.
    """

    def same_layout(source: SampleStore) -> None:
        ours = (header.roles, header.scheme, header.classes, header.side, header.weighted)
        theirs = source.header
        layout = (theirs.roles, theirs.scheme, theirs.classes, theirs.side, theirs.weighted)
        if layout != ours:
            found = f"roles {theirs.roles}, {theirs.scheme}, {theirs.side} px"
            expected = f"roles {header.roles}, {header.scheme}, {header.side} px"
            raise source.damaged(found, expected)

    opened = WeightedStore if header.weighted else SampleStore
    return join(path, partial(create, header=header), parts, opened, same_layout)


def count_classes(sets: Sets, classes: int) -> tuple[int, ...]:
    """Per class, how many pixels are that class alone.

    >>> count_classes(np.array([[8, 8, 7, 1]], dtype=np.uint16), 4)
    (1, 0, 0, 2)
    """
    found = np.bincount(sets.ravel(), minlength=1 << classes)
    return tuple(int(found[1 << code]) for code in range(classes))
