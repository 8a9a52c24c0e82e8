"""The headers of a TIFF file: which bytes of it are read before any pixel.

Sources: TIFF 6.0 (Aldus, 1992), section 2; the BigTIFF design (libtiff.gitlab.io).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

#: Bytes of a value by TIFF type number, where it is not one.
_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SUB_IFDS = 330
#: Directories that are followed at most: a COG has one a level, twice that with masks.
_MOST = 64

Read = Callable[[int, int], bytes]
"""Bytes of the file from a place to before another; fewer where it ends before."""


def walk(read: Read) -> None:
    """Read all directories of a TIFF file, and all values they point to; nothing, if it is none."""
    start = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 16:
        return
    (kind,) = struct.unpack_from(f"{order}H", start, 2)
    if kind not in (42, 43):
        return
    shape = _Shape(order, big=kind == 43)
    places, seen = [shape.number(start, shape.first)], set[int]()
    while places and len(seen) < _MOST:
        at = places.pop()
        if at == 0 or at in seen:
            continue
        seen.add(at)
        places += shape.directory(read, at)


class _Shape:
    """Sizes of numbers: TIFF's, or BigTIFF's."""

    def __init__(self, order: str, *, big: bool) -> None:
        self._order, self._offset = order, "Q" if big else "I"
        self._count, self._entry = ("Q", 20) if big else ("H", 12)
        self._wide = 8 if big else 4
        self.first = 8 if big else 4

    def number(self, data: bytes, at: int, kind: str = "") -> int:
        """A number in `data`, an offset unless said otherwise; 0 where the data are cut."""
        kind = self._order + (kind or self._offset)
        if at + struct.calcsize(kind) > len(data):
            return 0
        return int(struct.unpack_from(kind, data, at)[0])

    def directory(self, read: Read, at: int) -> list[int]:
        """Read a directory and its values; where the next, and those below it, are."""
        head = struct.calcsize(self._order + self._count)
        count = self.number(read(at, at + head), 0, self._count)
        end = at + head + count * self._entry
        data = read(at + head, end + self._wide)
        following = [self.number(data, count * self._entry)]
        for begin in range(0, min(count * self._entry, len(data)), self._entry):
            following += self._values(read, data, begin)
        return following

    def _values(self, read: Read, data: bytes, begin: int) -> list[int]:
        """Read the values of an entry where they lie elsewhere; the directories among them."""
        tag, kind = (self.number(data, begin + offset, "H") for offset in (0, 2))
        count = self.number(data, begin + 4)
        size, place = count * _BYTES.get(kind, 1), begin + 4 + self._wide
        values = data[place : place + size]
        if size > self._wide:
            start = self.number(data, place)
            values = read(start, start + size)
        if tag != _SUB_IFDS:
            return []
        return [self.number(values, at) for at in range(0, len(values), self._wide)]
