"""The mask bank: real outlines of clouds and snow, read by windows.

An HDF5 file. Attributes: `format`, `version`. Data:
    records          a table: kind (cloud, snow, pair_cloud, pair_shadow), name, metres, rows,
                     columns, covered share
    pairs            a table, where there are any: which two records are a cloud and the shadow that
                     it threw (crops of one window), the step between them, the cloud's middle
    blocks           (all blocks) uint8      how much of each block of 16 x 16 pixels is covered,
                                             0 to 255, row by row, mask after mask
    outlines/00000   (rows, columns) int8    one a mask: signed distance to its outline

A mask is where its distance is above 0. Distances are in pixels, stored as sign * round(CODES *
ln(1 + |distance|)): near an outline a step is 0.05 pixels, and 100 pixels is the end. What lies
beyond a mask's border is its mirror image. Chunks are small, compressed and carry checksums.

    python -m nndacss.inpaint.bank FOLDER... BANK.h5       (see `nndacss.inpaint.harvest`)
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.errors import DatasetError, NndacssError, complain
from nndacss.hdf5 import fields_of

FORMAT, VERSION = "nndacss mask bank", 1
KINDS = ("cloud", "snow")
#: Kinds of the two halves of a matched pair.
PAIRED = ("pair_cloud", "pair_shadow")
#: Name of the table of pairs.
PAIRS = "pairs"
#: Pixels on the side of a block whose cover is known without reading the mask.
BLOCK = 16
#: Codes per e-fold of 1 + distance: 127 of them reach 100 pixels.
CODES = 27.5
#: Bytes of masks that a process keeps once read, and of the largest that it reads whole: to read
#: and unpack windows again and again takes a third of the time of painting.
KEPT, SMALL = 256 * 2**20, 4 * 2**20
_REMEDY = "build it again with python -m nndacss.inpaint.bank"

Field = NDArray[np.float32]

_CODE = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
#: Distance in pixels by the byte of its code.
_DISTANCE = (np.sign(_CODE) * np.expm1(np.abs(_CODE) / CODES)).astype(np.float32)


@dataclass(frozen=True)
class Record:
    """One mask."""

    kind: str
    """`cloud`, `snow`, or one half of a pair: `pair_cloud`, `pair_shadow`."""
    name: str
    """The file or sample that it comes from."""
    metres: float
    """Pixel size."""
    rows: int
    columns: int
    covered: float
    """Share of it that is covered, 0 to 1."""


@dataclass(frozen=True)
class Pair:
    """A cloud and the shadow that it threw, cut from one image by one window."""

    cloud: int
    """Index of its record."""
    shadow: int
    """Index of its shadow's."""
    down: float
    """From cloud to shadow, pixels of the mask; rows point south."""
    right: float
    row: float
    """Of the cloud's middle in the window."""
    column: float
    share: float
    """How much of the cloud's shadow was labelled as shadow where it should be, 0 to 1."""

    @property
    def step(self) -> tuple[float, float]:
        """From cloud to shadow, (down, right)."""
        return self.down, self.right

    @property
    def middle(self) -> tuple[float, float]:
        """(row, column) of the cloud's middle."""
        return self.row, self.column


def encode(distance: NDArray[Any]) -> NDArray[np.int8]:
    """Signed distances in pixels as codes; those beyond 100 pixels as the last one."""
    code = np.sign(distance) * np.rint(CODES * np.log1p(np.abs(distance)))
    codes: NDArray[np.int8] = np.clip(code, -127, 127).astype(np.int8)
    return codes


@dataclass(frozen=True)
class Spot:
    """A place in a mask: which one, and the pixel at a patch's centre."""

    index: int
    row: float
    column: float


class MaskBank:
    """A bank, open for reading in any number of processes; it can be pickled and forked.

    Each process keeps the masks that it used last, `KEPT` bytes of them at most.

    DatasetError where the file is missing, damaged, of another version or not a bank.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: h5py.File | None = None
        self._owner = 0
        self._kept: OrderedDict[int, NDArray[np.int8]] = OrderedDict()
        self._size = 0
        try:
            file = self._handle()
            form = (file.attrs.get("format"), file.attrs.get("version"))
            if form != (FORMAT, VERSION):
                raise self._damaged(f"format {form[0]!r}, version {form[1]}")
            rows = [fields_of(row) for row in file["records"][()]]
            self.records = tuple(Record(**row) for row in rows)
            """One a mask, in order."""
            table = file[PAIRS][()] if PAIRS in file else ()
            self.pairs = tuple(Pair(**fields_of(row)) for row in table)
            """Clouds with their shadows; none in a bank of outlines alone."""
            self._blocks = self._sums(file["blocks"][()])
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            if isinstance(error, DatasetError):
                raise
            raise self._damaged(f"what HDF5 cannot read ({str(error)[:200]})") from error
        self._members = {
            kind: [n for n, record in enumerate(self.records) if record.kind == kind]
            for kind in KINDS
        }

    def members(self, kind: str) -> Sequence[int]:
        """Indices of the masks of a kind; DatasetError where there are none."""
        if not self._members.get(kind):
            found = f"no mask of {kind} among {len(self.records)}"
            raise DatasetError(complain(self.path, found, "at least one", _REMEDY))
        return self._members[kind]

    def check(self, structures: Sequence[str], pairs: bool) -> None:
        """DatasetError where masks that painting `structures` needs are lacking, or any pair."""
        for kind in KINDS:
            if kind in structures:
                self.members(kind)
        if pairs and not self.pairs:
            found, expected = "no matched pair of cloud and shadow", "at least one for pair_chance"
            remedy = "build it from labelled scenes with the task MaskBank, or set pair_chance = 0"
            raise DatasetError(complain(self.path, found, expected, remedy))

    def pick(self, kind: str, metres: float, cover: float, rng: Generator, tries: int = 12) -> Spot:
        """A place around which about the share `cover` of a square of `metres` is covered.

        The nearest of `tries` places that are drawn evenly; cover is known by blocks. The square
        may be turned about that place and stays inside the mask, where the mask is that large.
        """
        members, best, miss = self.members(kind), Spot(0, 0.0, 0.0), np.inf
        for _ in range(tries):
            index = members[int(rng.integers(len(members)))]
            record = self.records[index]
            half = metres / record.metres / 2
            spot = Spot(index, _inside(half, record.rows, rng), _inside(half, record.columns, rng))
            there = self._cover(spot, half)
            apart = abs(np.log((there + 0.001) / (cover + 0.001)))
            if apart < miss:
                best, miss = spot, apart
        return best

    def distances(self, index: int, top: int, left: int, shape: tuple[int, int]) -> Field:
        """(rows, columns) signed distance to the outline, pixels of the mask; inside above 0.

        The window may lie anywhere: beyond its border a mask goes on as its mirror image.
        """
        record = self.records[index]
        rows = folded(top, shape[0], record.rows)
        columns = folded(left, shape[1], record.columns)
        first, last = (rows.min(), columns.min()), (rows.max() + 1, columns.max() + 1)
        codes = self._codes(index, np.s_[first[0] : last[0], first[1] : last[1]])
        if codes.shape != shape or rows[-1] < rows[0] or columns[-1] < columns[0]:
            codes = codes.take(rows - first[0], 0).take(columns - first[1], 1)
        field: Field = _DISTANCE.take(codes.view(np.uint8))
        return field

    def _codes(self, index: int, window: tuple[slice, slice]) -> NDArray[np.int8]:
        """A window of a mask: small masks are read whole, and the last ones stay in memory."""
        record = self.records[index]
        if record.rows * record.columns > SMALL:
            return self._read(index, window)
        if index not in self._kept:
            self._kept[index] = self._read(index, ())
            self._size += self._kept[index].nbytes
        self._kept.move_to_end(index)
        while self._size > KEPT:
            self._size -= self._kept.popitem(last=False)[1].nbytes
        return self._kept[index][window]

    def _read(self, index: int, window: tuple[slice, ...]) -> NDArray[np.int8]:
        try:
            codes: NDArray[np.int8] = self._handle()[f"outlines/{index:05d}"][window]
        except (OSError, KeyError, RuntimeError) as error:
            found = f"what HDF5 cannot read ({str(error)[:200]})"
            raise self._damaged(found) from error
        return codes

    def _sums(self, blocks: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
        """Per mask, sums over all blocks above and left of a corner."""
        tables, start = [], 0
        for record in self.records:
            shape = (-(-record.rows // BLOCK), -(-record.columns // BLOCK))
            part = blocks[start : start + shape[0] * shape[1]].reshape(shape).astype(np.int64)
            tables.append(np.pad(part.cumsum(0).cumsum(1), ((1, 0), (1, 0))))
            start += part.size
        return tables

    def _cover(self, spot: Spot, half: float) -> float:
        """Share that is covered within `half` pixels of a spot, inside the mask."""
        table = self._blocks[spot.index]
        ends = []
        for centre, size in zip((spot.row, spot.column), table.shape, strict=True):
            low = int(np.clip((centre - half) / BLOCK, 0, size - 2))
            ends.append((low, int(np.clip(np.ceil((centre + half) / BLOCK), low + 1, size - 1))))
        (top, bottom), (left, right) = ends
        total = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        return float(total) / (255 * (bottom - top) * (right - left))

    def _handle(self) -> h5py.File:
        """This process's open file: a handle that came through a fork shares its state."""
        if self._file is None or self._owner != os.getpid():
            if not self.path.is_file():
                remedy = "check the path given as bank, or " + _REMEDY
                raise DatasetError(complain(self.path, "no such file", "a mask bank", remedy))
            self._file, self._owner = h5py.File(self.path, "r", locking=False), os.getpid()
        return self._file

    def _damaged(self, found: str) -> DatasetError:
        return DatasetError(complain(self.path, found, f"{FORMAT}, version {VERSION}", _REMEDY))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_kept": OrderedDict(), "_size": 0}


def _inside(half: float, size: int, rng: Generator) -> float:
    """Where the centre of a square of half side `half` may lie, however it is turned."""
    room = min(half * 2**0.5, size / 2)
    return float(rng.uniform(room, size - room))


def folded(start: int, count: int, size: int) -> NDArray[np.intp]:
    """Indices start .. start + count of an array of `size`, mirrored at its ends.

    >>> folded(-2, 6, 3).tolist()
    [1, 0, 0, 1, 2, 2]
    """
    place = np.arange(start, start + count) % (2 * size)
    return np.where(place < size, place, 2 * size - 1 - place).astype(np.intp)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0, or 1 with one line on stderr."""
    from nndacss.inpaint.harvest import build_bank

    parser = argparse.ArgumentParser(
        prog="python -m nndacss.inpaint.bank",
        description="Collect outlines of clouds and snow from folders of masks and sample stores.",
    )
    parser.add_argument("source", nargs="+", help="folder of .png/.tif masks, or a samples.h5")
    parser.add_argument("bank", help="file to write")
    parser.add_argument(
        "--metres", type=float, default=20.0, help="pixels of files without a georeference (20)"
    )
    asked = parser.parse_args(arguments)
    try:
        counts = build_bank(
            [Path(source) for source in asked.source], Path(asked.bank), asked.metres
        )
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    words = ", ".join(f"{count} of {kind}" for kind, count in counts.items())
    sys.stdout.write(f"{asked.bank}: masks: {words}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
