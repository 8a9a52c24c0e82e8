"""Decoded blocks of JPEG 2000 files, kept for a while and shared by all threads.

A block of 1024 x 1024 pixels must be decoded whole, for however small a window, and neighbouring
windows need the same ones. GDAL keeps decoded blocks too, but a set per open file, so each thread
would decode its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

#: Bytes kept: a row of windows needs 2 or 3 blocks of 2 MiB in each of six bands, in two threads.
LIMIT = 96 * 2**20

Key = tuple[str, int, int]
"""Path, row and column of a block."""


class Blocks:
    """The blocks that were used last, up to `limit` bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit, self._bytes = limit, 0
        self._kept: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding: dict[Key, threading.Lock] = {}

    def get(self, key: Key, decode: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The block of `key`, decoded where it is not kept; not to be written to.

        Threads that want the same block wait for the first of them; others do not.
        """
        with self._lock:
            if (kept := self._find(key)) is not None:
                return kept
            own = self._decoding.setdefault(key, threading.Lock())
        with own:
            with self._lock:
                if (kept := self._find(key)) is not None:
                    return kept
            block = decode()
            with self._lock:
                self._keep(key, block)
                self._decoding.pop(key, None)
        return block

    def _find(self, key: Key) -> NDArray[Any] | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _keep(self, key: Key, block: NDArray[Any]) -> None:
        if key not in self._kept:
            self._kept[key] = block
            self._bytes += block.nbytes
        while self._bytes > self._limit and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
