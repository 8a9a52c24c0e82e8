"""The store of painted samples: one as `nndacss.samples` makes, with a note for every sample.

Networks are trained on it as on any other: readers of samples find all that they know. Beside it

    origins  (samples,) bytes   JSON, one a sample: where it comes from and what was painted

tells of each sample: `source` (store by the digest of its recipe, and index), `draw` (0 is the
sample itself), `turn` (0 to 7, see `nndacss.train.augment.turn`), `mode`, or why nothing was
painted, `sun` (elevation, azimuth as seen in the turned sample) and where that is from, masks and
heights, `seed`. The recipe of all is the file's attribute `recipe`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nndacss.hdf5 import RECORDS, add_array, join, write
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.samples.layout import ARRAYS, Header, Record, create, to_counts, to_row
from nndacss.samples.store import SampleStore

#: The notes' array, and the bytes of one at most: what is longer loses names of masks.
ORIGINS, LONGEST = "origins", 1024

Noted = tuple[tuple[Pixels, Sets, Record], Mapping[str, Any]]
"""A sample and its note."""


class PaintedStore(SampleStore):
    """A store of painted samples, open for reading."""

    task = "GenerateInpaintedSamples"
    arrays = (*ARRAYS, ORIGINS)

    def origin(self, index: int) -> dict[str, Any]:
        """The note of a sample."""
        (note,) = self.element(index)[len(ARRAYS) :]
        found: dict[str, Any] = json.loads(bytes(note))
        return found


def write_painted(path: Path, header: Header, items: Iterable[Noted]) -> int:
    """A new store of some samples, whole or not at all; returns how many there were."""
    elements = (
        {
            "pixels": to_counts(pixels),
            "sets": sets,
            ORIGINS: np.bytes_(noted(note)),
            RECORDS: to_row(record, len(header.classes)),
        }
        for (pixels, sets, record), note in items
    )
    return write(path, partial(_create, header=header), elements)


def join_painted(path: Path, header: Header, parts: Iterable[Path]) -> int:
    """One store of several, chunks copied as they are; returns the count.

    Whole or not at all. DatasetError names a part that is damaged.
    """
    return join(path, partial(_create, header=header), parts, PaintedStore, lambda _: None)


def noted(note: Mapping[str, Any]) -> bytes:
    """A note as ASCII JSON that fits; a story that is too long is cut at its end."""
    story = list(note.get("painted", ()))
    while len(text := json.dumps({**note, "painted": story}, sort_keys=True)) > LONGEST and story:
        story.pop()
    return text.encode("ascii")


def _create(file: h5py.File, header: Header) -> None:
    create(file, header)
    add_array(file, ORIGINS, (), np.dtype(f"S{LONGEST}"))
