"""ENVI rasters of one band of bytes: a text header (`.hdr`) and the values row by row (`.img`).

Read through a memory map, so that a window of a scene of 60 million pixels costs its own pixels.
Format: NV5 Geospatial, ENVI header files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain

_FIELD = re.compile(r"^\s*([^=\n]+?)\s*=\s*(\{[^}]*\}|[^\n]*)", re.MULTILINE)
_BYTES = "1"
"""ENVI's `data type` of unsigned bytes."""


@dataclass(frozen=True)
class Envi:
    """One raster, its header read and its size checked."""

    path: Path
    shape: tuple[int, int]
    """Rows and columns."""
    offset: int
    """Bytes before the first pixel."""

    def pixels(self) -> NDArray[np.uint8]:
        """(rows, columns) uint8, mapped, not read."""
        return np.memmap(self.path, np.uint8, "r", self.offset, self.shape)


def envi(path: Path) -> Envi:
    """The raster at `path` (`.img`); DatasetError where header or size are not as they must be."""
    header = path.with_suffix(".hdr")
    if not header.is_file():
        remedy = "get it from the archive again"
        raise DatasetError(complain(path, "no header beside it", header.name, remedy))
    fields = _fields(header)
    shape = (_number(header, fields, "lines"), _number(header, fields, "samples"))
    offset = _number(header, fields, "header offset", 0)
    kind = (fields.get("data type"), _number(header, fields, "bands", 1))
    if kind != (_BYTES, 1):
        found = f"data type {kind[0]}, {kind[1]} bands"
        remedy = "check that it is the label file"
        raise DatasetError(complain(header, found, "data type 1 (bytes), one band", remedy))
    size, expected = path.stat().st_size, offset + shape[0] * shape[1]
    if size != expected or not expected:
        stated = f"{expected}, for the {shape[0]} lines of {shape[1]} samples of its header"
        raise DatasetError(complain(path, f"{size} bytes", stated, "get it again"))
    return Envi(path, shape, offset)


def _fields(header: Path) -> dict[str, str]:
    try:
        text = header.read_text(encoding="ascii", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(complain(header, str(error), "a text header", "get it again")) from error
    if not text.startswith("ENVI"):
        remedy = "check that it is the header of an ENVI raster"
        raise DatasetError(complain(header, repr(text[:20]), "ENVI in its first line", remedy))
    return {key.lower(): value.strip() for key, value in _FIELD.findall(text)}


def _number(header: Path, fields: dict[str, str], key: str, default: int | None = None) -> int:
    value = fields.get(key, "" if default is None else str(default))
    if not value.isdecimal():
        found = f"{key} = {value}" if value else f"no {key}"
        raise DatasetError(complain(header, found, "a whole number", "get it again"))
    return int(value)
