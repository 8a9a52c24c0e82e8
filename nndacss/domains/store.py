"""The file of patches: one HDF5 file with the keys of the published one, and more.

Layout, version 1. File attributes: `format`, `version`, `side`, `bands`, `recipe` (JSON). Data, one
chunk a patch and array (`nndacss.hdf5`):
    PV, LU               (n, side, side, 4) float32   reflectance, complete: as published
    L8                   the same at 30 m, NaN where not kept
    PV_CLOUD, LU_CLOUD,
    L8_CLOUD             (n, side, side) float32      share that is cloud, NaN unknown
    records              (n,) a table                 where each patch comes from
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.domains.source import BANDS, RECORD_FIELDS, Patch, PatchRecord
from nndacss.hdf5 import RECORDS, Store, add_array, add_records, fields_of, join, write

FORMAT = ("nndacss domains", 1)
IMAGES = ("PV", "LU", "L8")
#: Image -> its clouds.
CLOUDS = {name: f"{name}_CLOUD" for name in IMAGES}
ARRAYS = (*IMAGES, *CLOUDS.values())


@dataclass(frozen=True)
class Header:
    """What all patches of a file share."""

    side: int
    """Rows and columns of every patch."""
    recipe: Mapping[str, Any]
    """The recipe that made it, as JSON."""


class DomainStore(Store[Header, PatchRecord]):
    """A file of patches that `MakeCycleGANDataset` wrote, open for reading."""

    noun = "patch"
    task = "MakeCycleGANDataset"
    form = FORMAT
    attributes = frozenset({"side", "bands", "recipe"})
    arrays = ARRAYS

    def read(self, index: int) -> dict[str, NDArray[np.float32]]:
        """One patch: its arrays by name."""
        return dict(zip(self.arrays, self.element(index), strict=True))

    def _check(self, file: h5py.File) -> None:
        side, count = int(file.attrs["side"]), file[RECORDS].shape[0]
        for name in ARRAYS:
            expected = (count, side, side, *((len(BANDS),) if name in IMAGES else ()))
            if file[name].shape != expected or file[name].dtype != np.float32:
                found = f"{name} {file[name].shape} {file[name].dtype}"
                raise self.damaged(found, f"{expected} float32")

    @staticmethod
    def _read_header(file: h5py.File) -> Header:
        return Header(int(file.attrs["side"]), json.loads(file.attrs["recipe"]))

    @staticmethod
    def _to_record(row: Any) -> PatchRecord:
        return PatchRecord(**fields_of(row))


def write_store(path: Path, header: Header, patches: Iterable[Patch]) -> int:
    """A new file of some patches, whole or not at all; returns how many there were."""
    elements = (
        {
            **{name: getattr(patch, name.lower()) for name in ARRAYS},
            RECORDS: np.array(astuple(patch.record), dtype=_table()),
        }
        for patch in patches
    )
    return write(path, partial(_create, header=header), elements)


def join_stores(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One file of several, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged or of another side.
    """

    def same_side(source: DomainStore) -> None:
        if source.header.side != header.side:
            raise source.damaged(f"patches of {source.header.side} pixels", f"{header.side}")

    return join(path, partial(_create, header=header), parts, DomainStore, same_side)


def _create(file: h5py.File, header: Header) -> None:
    file.attrs.update(
        {
            "format": FORMAT[0],
            "version": FORMAT[1],
            "side": header.side,
            "bands": json.dumps(BANDS),
            "recipe": json.dumps(header.recipe, sort_keys=True),
        }
    )
    for name in ARRAYS:
        shape = (header.side, header.side, *((len(BANDS),) if name in IMAGES else ()))
        add_array(file, name, shape, np.float32)
    add_records(file, _table())


def _table() -> np.dtype[Any]:
    kinds = {"str": h5py.string_dtype(), "int": np.dtype(np.int64)}
    return np.dtype([(name, kinds[kind]) for name, kind in RECORD_FIELDS])
