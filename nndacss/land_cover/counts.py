"""Area of each class of a map, and how sure the network was of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.labels.land_cover import ARCHIVE_OFFSET, SCHEME
from nndacss.land_cover import sheets

#: Square metres of a square kilometre.
_SQUARE_KM = 1e6
#: Bins of the network's certainty in the report.
BINS = 20


class Counts:
    """Adds up blocks; safe to use from several threads."""

    def __init__(self, square_metres: float) -> None:
        """`square_metres` is the size of a pixel."""
        self._size = square_metres
        classes = len(SCHEME.classes)
        self._pixels = np.zeros(classes, dtype=np.int64)
        self._steps = np.zeros(classes, dtype=np.int64)
        self._bins = np.zeros(BINS, dtype=np.int64)
        self._all = 0
        self._lock = threading.Lock()

    def add(self, block: Mapping[str, NDArray[np.uint8]]) -> None:
        """A block of `land_cover` (1, rows, columns) and `probability` (classes, rows, columns)."""
        codes = block["land_cover"][0]
        seen = codes != sheets.NODATA
        chosen = codes[seen].astype(np.intp) - ARCHIVE_OFFSET
        top = block["probability"].max(axis=0)[seen].astype(np.int64)
        size = len(SCHEME.classes)
        pixels = np.bincount(chosen, minlength=size)
        sure = np.bincount(chosen, weights=top, minlength=size).astype(np.int64)
        place = np.minimum((top * sheets.STEP * BINS).astype(np.intp), BINS - 1)
        with self._lock:
            self._pixels += pixels
            self._steps += sure
            self._bins += np.bincount(place, minlength=BINS)
            self._all += codes.size

    def result(self) -> dict[str, Any]:
        """Per class: code, name, pixels, share of what is mapped, area, certainty; and in all."""
        mapped = int(self._pixels.sum())
        rows = []
        for code, name in enumerate(SCHEME.classes):
            pixels = int(self._pixels[code])
            sure = float(self._steps[code]) * sheets.STEP / pixels if pixels else None
            rows.append(
                {
                    "code": code + ARCHIVE_OFFSET,
                    "name": name,
                    "words": name.replace("_", " "),
                    "colour": "#{:02x}{:02x}{:02x}".format(*SCHEME.colours[code]),
                    "pixels": pixels,
                    "share": round(pixels / mapped, 6) if mapped else 0.0,
                    "square_km": round(pixels * self._size / _SQUARE_KM, 4),
                    "certainty": None if sure is None else round(min(sure, 1.0), 4),
                }
            )
        return {
            "classes": rows,
            "mapped": mapped,
            "mapped_share": round(mapped / self._all, 6) if self._all else 0.0,
            "square_km": round(mapped * self._size / _SQUARE_KM, 4),
            "certainty": [int(count) for count in self._bins],
        }
