"""The sample store: one HDF5 file, one chunk a sample, so that reads in any order are cheap.

Layout, version 1. File attributes: `format`, `version`, `roles`, `scheme`, `classes`, `side`,
`scale`, `nodata`, `recipe` (JSON). Data:
    pixels   (samples, bands, side, side) int16   reflectance x 10000, -32768 missing
    sets     (samples, side, side) uint16         one bit a class, 0 unlabelled
    weights  (samples, side, side) uint8          how sure the label is, per cent; in stores whose
                                                  attribute `weighted` is there
    records  (samples,) a table                   where each sample comes from, its class counts

int16 x 10000 is the agencies' own unit (Sentinel-2 L1C and L2A): it holds -3.2767 to 3.2767, which
no ground or cloud leaves, at a step of 0.0001, below the noise of both sensors, and needs half the
room of float32. Checksums and compression are those of `nndacss.hdf5`.
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
from nndacss.raster import Pixels

FORMAT = "nndacss samples"
VERSION = 1
ARRAYS = ("pixels", "sets")
#: The array that only weighted stores have.
WEIGHTS = "weights"
#: int16 counts of reflectance 1.0.
SCALE = 10000
#: int16 count of a missing pixel.
NODATA = -32768
_TEXT = h5py.string_dtype()


@dataclass(frozen=True)
class Record:
    """Where a sample comes from and what it shows."""

    dataset: str
    """Name of the entry in the settings."""
    name: str
    """The source image, unique inside its dataset."""
    scene: str
    """What a split must not tear."""
    row: int
    """First row of the window in the source image at working pixels."""
    column: int
    metres: float
    """Working pixel size."""
    level: str
    """`TOA` or `SR`."""
    sensor: str
    sun: tuple[float, float] | None
    """Elevation and azimuth, degrees; None where unknown."""
    labelled: int
    """Pixels with any label."""
    class_counts: tuple[int, ...]
    """Per class, pixels whose set is that class alone."""


@dataclass(frozen=True)
class Header:
    """What all samples of a store share."""

    roles: tuple[str, ...]
    scheme: str
    """Module of `nndacss.labels`."""
    classes: tuple[str, ...]
    side: int
    """Rows and columns of every sample."""
    recipe: Mapping[str, Any]
    """The recipe that made it, as JSON."""
    weighted: bool = False
    """Whether it says how sure each label is."""


def create(file: h5py.File, header: Header) -> None:
    """An empty store in a new file."""
    attributes = {
        "format": FORMAT,
        "version": VERSION,
        "roles": json.dumps(header.roles),
        "scheme": header.scheme,
        "classes": json.dumps(header.classes),
        "side": header.side,
        "scale": SCALE,
        "nodata": NODATA,
        "recipe": json.dumps(header.recipe, sort_keys=True),
    }
    file.attrs.update(attributes)
    window = (header.side, header.side)
    add_array(file, "pixels", (len(header.roles), *window), np.int16)
    add_array(file, "sets", window, np.uint16)
    if header.weighted:
        file.attrs["weighted"] = True
        add_array(file, WEIGHTS, window, np.uint8)
    add_records(file, _table(len(header.classes)))


def read_header(file: h5py.File) -> Header:
    """What `create` wrote."""
    attributes = file.attrs
    return Header(
        roles=tuple(json.loads(attributes["roles"])),
        scheme=str(attributes["scheme"]),
        classes=tuple(json.loads(attributes["classes"])),
        side=int(attributes["side"]),
        recipe=json.loads(attributes["recipe"]),
        weighted=bool(attributes.get("weighted", False)),
    )


def _table(classes: int) -> np.dtype[Any]:
    kinds = {"str": _TEXT, "int": np.int64, "float": np.float64}
    columns: list[Any] = []
    for field in fields(Record):
        if field.name == "sun":
            columns.append(("sun", np.float64, (2,)))
        elif field.name == "class_counts":
            columns.append(("class_counts", np.int64, (classes,)))
        else:
            columns.append((field.name, kinds[str(field.type)]))
    return np.dtype(columns)


def to_row(record: Record, classes: int) -> NDArray[Any]:
    """A record as an element of the table."""
    values = [
        (np.nan, np.nan) if field.name == "sun" and value is None else value
        for field, value in zip(fields(record), astuple(record), strict=True)
    ]
    return np.array(tuple(values), dtype=_table(classes))


def to_record(row: Any) -> Record:
    """An element of the table as a record."""
    values = fields_of(row)
    sun = values["sun"]
    values["sun"] = None if np.isnan(sun[0]) else tuple(sun)
    values["class_counts"] = tuple(values["class_counts"])
    return Record(**values)


def to_counts(pixels: Pixels) -> NDArray[np.int16]:
    """Reflectance as int16 x 10000: clipped to +-3.2767, NaN (and infinite) is `NODATA`.

    >>> to_counts(np.array([[[0.12345, np.nan, 9.0]]], dtype=np.float32)).tolist()
    [[[1234, -32768, 32767]]]
    """
    seen = np.isfinite(pixels)
    counts = np.clip(np.rint(np.where(seen, pixels, 0) * SCALE), -32767, 32767)
    return np.where(seen, counts, NODATA).astype(np.int16)


def to_percent(weight: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Weights 0..1 as they are stored.

    >>> to_percent(np.array([0.0, 0.666, 1.0], dtype=np.float32)).tolist()
    [0, 67, 100]
    """
    return np.rint(100 * np.clip(weight, 0, 1)).astype(np.uint8)


def to_reflectance(counts: NDArray[np.int16]) -> Pixels:
    """Stored counts as float32 reflectance, NaN where missing.

    >>> to_reflectance(np.array([2500, -32768], dtype=np.int16)).tolist()
    [0.25, nan]
    """
    pixels: Pixels = counts.astype(np.float32) / np.float32(SCALE)
    pixels[counts == NODATA] = np.nan
    return pixels
