"""The view store, read and written: see `nndacss.views.layout` for the file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nndacss.hdf5 import RECORDS, Store, join, write
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import to_counts, to_reflectance
from nndacss.sensors import REFLECTIVE
from nndacss.views.image import Window
from nndacss.views.layout import (
    ARRAYS,
    FORMAT,
    VERSION,
    Header,
    Record,
    create,
    read_header,
    to_record,
    to_row,
)

__all__ = ["Header", "Record", "ViewStore", "join_stores", "write_store"]


class ViewStore(Store[Header, Record]):
    """A view store, open for reading; one record a view."""

    noun = "view"
    task = "MakeViews"
    form = (FORMAT, VERSION)
    attributes = frozenset({"roles", "scheme", "classes", "side", "target", "recipe"})
    arrays = ARRAYS

    def read(self, index: int) -> tuple[Pixels, Pixels, Sets]:
        """Landsat's and the harmonized image and the label sets.

        (6, side, side) float32 reflectance, NaN missing, twice, and (side, side).
        """
        landsat, harmonized, sets = self.element(index)
        return to_reflectance(landsat), to_reflectance(harmonized), sets

    def sets(self, index: int) -> Sets:
        """(side, side) label sets of a view, without its images."""
        with self.translated():
            sets: Sets = self.handle()["sets"][index]
        return sets

    def _check(self, file: h5py.File) -> None:
        roles = tuple(json.loads(file.attrs["roles"]))
        if roles != REFLECTIVE:
            raise self.damaged(f"bands {', '.join(roles)}", ", ".join(REFLECTIVE))
        side, count = int(file.attrs["side"]), file[RECORDS].shape[0]
        image = (count, len(REFLECTIVE), side, side)
        wanted = [(image, np.int16), (image, np.int16), ((count, side, side), np.uint16)]
        found = [(file[name].shape, file[name].dtype) for name in ARRAYS]
        if found != wanted:
            shapes = f"shapes {[shape for shape, _ in found]}"
            raise self.damaged(shapes, f"{[shape for shape, _ in wanted]}")

    @staticmethod
    def _read_header(file: h5py.File) -> Header:
        return read_header(file)

    @staticmethod
    def _to_record(row: Any) -> Record:
        return to_record(row)


def write_store(path: Path, header: Header, views: Iterable[tuple[Window, Record]]) -> int:
    """A new store of some views, whole or not at all; returns how many there were."""
    elements = (
        {
            "landsat": to_counts(window.landsat),
            "harmonized": to_counts(window.harmonized),
            "sets": window.sets,
            RECORDS: to_row(record),
        }
        for window, record in views
    )
    return write(path, partial(create, header=header), elements)


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several of the same layout, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another layout.
    """

    def same_layout(source: ViewStore) -> None:
        ours = (header.scheme, header.classes, header.side, header.target)
        found = source.header
        theirs = (found.scheme, found.classes, found.side, found.target)
        if theirs != ours:
            raise source.damaged(f"{theirs[0]}, {theirs[2]} px", f"{ours[0]}, {ours[2]} px")

    return join(path, partial(create, header=header), parts, ViewStore, same_layout)
