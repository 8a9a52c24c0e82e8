"""The view store: one HDF5 file, one chunk a view and array, for reads in any order.

Layout, version 1. File attributes: `format`, `version`, `roles`, `scheme`, `classes`, `side`,
`scale`, `nodata`, `target` (whose bands the harmonized images have) and `recipe` (JSON). Data:
    landsat     (views, 6, side, side) int16   reflectance x 10000, -32768 missing
    harmonized  (views, 6, side, side) int16   the same
    sets        (views, side, side) uint16     one bit a class, 0 unlabelled
    records     (views,) a table               where each view comes from

Counts are those of the sample store (`nndacss.samples.layout`), chunks those of `nndacss.hdf5`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nndacss.hdf5 import add_array, add_records, fields_of
from nndacss.samples.layout import NODATA, SCALE
from nndacss.sensors import REFLECTIVE

FORMAT = "nndacss views"
VERSION = 1
ARRAYS = ("landsat", "harmonized", "sets")


@dataclass(frozen=True)
class Record:
    """Where a view comes from."""

    dataset: str
    """Title of the entry in the settings."""
    name: str
    """The image it was cut from, unique inside its dataset."""
    scene: str
    """What a split must not tear."""
    row: int
    """First row of the window in that image, 10 m pixels."""
    column: int
    level: str
    """`TOA` or `SR`."""
    sensor: str
    pan: bool
    """Whether the network saw a pan band."""
    sun: tuple[float, float] | None
    """Elevation and azimuth, degrees; None where unknown."""


@dataclass(frozen=True)
class Header:
    """What all views of a store share."""

    scheme: str
    """Module of `nndacss.labels`."""
    classes: tuple[str, ...]
    side: int
    """Rows and columns of every view."""
    target: str
    """Whose bands the harmonized images have, e.g. `sentinel-2a`."""
    recipe: Mapping[str, Any]
    """The recipe that made it, as JSON."""


def create(file: h5py.File, header: Header) -> None:
    """An empty store in a new file."""
    attributes = {
        "format": FORMAT,
        "version": VERSION,
        "roles": json.dumps(REFLECTIVE),
        "scheme": header.scheme,
        "classes": json.dumps(header.classes),
        "side": header.side,
        "scale": SCALE,
        "nodata": NODATA,
        "target": header.target,
        "recipe": json.dumps(header.recipe, sort_keys=True),
    }
    file.attrs.update(attributes)
    window = (header.side, header.side)
    for name in ("landsat", "harmonized"):
        add_array(file, name, (len(REFLECTIVE), *window), np.int16)
    add_array(file, "sets", window, np.uint16)
    add_records(file, _TABLE)


def read_header(file: h5py.File) -> Header:
    """What `create` wrote."""
    return Header(
        scheme=str(file.attrs["scheme"]),
        classes=tuple(json.loads(file.attrs["classes"])),
        side=int(file.attrs["side"]),
        target=str(file.attrs["target"]),
        recipe=json.loads(file.attrs["recipe"]),
    )


def to_row(record: Record) -> NDArray[Any]:
    """A record as an element of the table."""
    values = [
        (np.nan, np.nan) if field.name == "sun" and value is None else value
        for field, value in zip(fields(record), astuple(record), strict=True)
    ]
    return np.array(tuple(values), dtype=_TABLE)


def to_record(row: Any) -> Record:
    """An element of the table as a record."""
    values = fields_of(row)
    sun = values["sun"]
    values["sun"] = None if np.isnan(sun[0]) else tuple(sun)
    return Record(**values)


def _table() -> np.dtype[Any]:
    kinds = {"str": h5py.string_dtype(), "int": np.int64, "bool": np.bool_}
    columns: list[Any] = [
        (field.name, np.float64, (2,))
        if field.name == "sun"
        else (field.name, kinds[str(field.type)])
        for field in fields(Record)
    ]
    return np.dtype(columns)


_TABLE = _table()
