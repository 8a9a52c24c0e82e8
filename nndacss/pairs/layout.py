"""The pair store: one HDF5 file, one chunk a pair and array, for reads in any order.

Layout, version 1. File attributes: `format`, `version`, `side`, `scale`, `nodata`, `inputs`,
`roles` and `recipe` (JSON). Data:
    inputs   (pairs, 7, side, side) int16   reflectance x 10000, -32768 missing; pan last
    target   (pairs, 6, side, side) int16   the same
    records  (pairs,) a table               where each pair comes from, see `source.PairRecord`

Counts are those of the sample store (`nndacss.samples.layout`), chunks those of `nndacss.hdf5`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.hdf5 import add_array, add_records, fields_of
from nndacss.pairs.source import INPUTS, RECORD_FIELDS, ROLES, PairRecord
from nndacss.samples.layout import NODATA, SCALE

FORMAT = "nndacss pairs"
VERSION = 1
#: Array -> number of bands.
ARRAYS = {"inputs": len(INPUTS), "target": len(ROLES)}
_KINDS = {
    "str": h5py.string_dtype(),
    "int": np.int64,
    "float": np.float64,
    "bool": np.bool_,
    "tuple[float, float]": (np.float64, (2,)),
}


@dataclass(frozen=True)
class Header:
    """What all pairs of a store share."""

    side: int
    """Rows and columns of every pair."""
    recipe: Mapping[str, Any]
    """The recipe that made it, as JSON."""


def create(file: h5py.File, header: Header) -> None:
    """An empty store in a new file."""
    attributes = {
        "format": FORMAT,
        "version": VERSION,
        "side": header.side,
        "scale": SCALE,
        "nodata": NODATA,
        "inputs": json.dumps(INPUTS),
        "roles": json.dumps(ROLES),
        "recipe": json.dumps(header.recipe, sort_keys=True),
    }
    file.attrs.update(attributes)
    for name, bands in ARRAYS.items():
        add_array(file, name, (bands, header.side, header.side), np.int16)
    add_records(file, _table())


def read_header(file: h5py.File) -> Header:
    """What `create` wrote."""
    return Header(int(file.attrs["side"]), json.loads(file.attrs["recipe"]))


def to_row(record: PairRecord) -> NDArray[Any]:
    """A record as an element of the table."""
    return np.array(tuple(astuple(record)), dtype=_table())


def to_record(row: Any) -> PairRecord:
    """An element of the table as a record."""
    values = fields_of(row)
    values["shift"] = tuple(values["shift"])
    return PairRecord(**values)


def _table() -> np.dtype[Any]:
    columns: list[Any] = []
    for name, kind in RECORD_FIELDS:
        found = _KINDS[kind]
        columns.append((name, *found) if isinstance(found, tuple) else (name, found))
    return np.dtype(columns)
