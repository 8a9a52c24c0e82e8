"""An image of any size through a network, tile by tile, blended into one field.

The networks here look at their whole tile (squeeze and excitation), so two tiles never agree
exactly where they meet. Tiles therefore overlap, and each pixel is the weighted mean of all tiles
that cover it; the weights fall to nothing before a tile's own edge and sum to 1 at every pixel.

The lattice of tiles belongs to the image: it starts at its first pixel, and the last tile of an
axis ends with the image. A value is a function of the image and of its place in it alone: which
block was asked for, in what order and by how many threads never changes it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from threading import Lock
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from nndacss.models.segmentation import MULTIPLE
from nndacss.raster import Pixels


@dataclass(frozen=True)
class Layout:
    """How tiles lie along each axis, and what is kept of them."""

    side: int
    """Pixels of a tile."""
    stride: int
    """Pixels from one tile to the next."""
    rim: int
    """Pixels at a tile's edge that count for nothing: there the network pads with zeros."""
    multiple: int
    """Sides of a tile are multiples of it."""
    dtype: type[np.floating[Any]]
    """Of finished tiles."""
    kept: int
    """Finished tiles that are kept for their neighbours, per thread: those of a row of windows
    across a part."""


#: Pixels a side of a mask's tile, as in training.
SIDE = 256
#: Masks: probabilities in steps of at most 0.0005, 0.5 MiB a tile.
MASK = Layout(SIDE, stride=192, rim=8, multiple=MULTIPLE, dtype=np.float16, kept=32)

Read = Callable[[slice, slice], Pixels]
"""Rows and columns inside an image -> (bands, rows, columns) reflectance, NaN missing."""


class Predictor(Protocol):
    """What turns tiles into planes of numbers, e.g. `nndacss.models.runner.Network`."""

    @property
    def batch(self) -> int:
        """How many tiles it likes to get at once."""
        ...

    @property
    def classes(self) -> int:
        """Planes of the result."""
        ...

    def __call__(self, pixels: Pixels) -> Pixels:
        """(n, bands, rows, columns) -> (n, classes, rows, columns); safe from several threads."""
        ...


@dataclass(frozen=True)
class Axis:
    """The tiles along one axis of an image."""

    size: int
    """Pixels of the image."""
    layout: Layout = MASK

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First pixel of each tile; the last tile ends with the image, where it is that long."""
        side, stride = self.layout.side, self.layout.stride
        count = max(math.ceil((self.size - side) / stride), 0) + 1
        return tuple(max(min(k * stride, self.size - side), 0) for k in range(count))

    @property
    def side(self) -> int:
        """Pixels of a tile: the layout's, or what a smaller image needs."""
        multiple = self.layout.multiple
        return min(self.layout.side, math.ceil(self.size / multiple) * multiple)

    @cached_property
    def weights(self) -> Pixels:
        """(tiles, side): what each tile counts at its pixels; 1 in sum at every image pixel."""
        side, rim = self.side, self.layout.rim
        place = np.arange(side)
        inside = np.clip(np.minimum(place, side - 1 - place) - rim + 1, 0, None)
        width = self.layout.side - self.layout.stride - 2 * rim + 1
        rise = np.sin(np.pi / 2 * np.minimum(inside / width, 1)) ** 2
        # an image's own edge is covered by one tile only, rim or not
        table = np.tile(rise, (len(self.starts), 1))
        table[0, : side // 2] = np.maximum(table[0, : side // 2], 1e-9)
        table[-1, side // 2 :] = np.maximum(table[-1, side // 2 :], 1e-9)
        total = np.zeros(max(self.size, side))
        for start, row in zip(self.starts, table, strict=True):
            total[start : start + side] += row
        for start, row in zip(self.starts, table, strict=True):
            row /= total[start : start + side]
        return table.astype(np.float32)

    @cached_property
    def reach(self) -> tuple[tuple[int, int], ...]:
        """Per tile, the image pixels for which it counts: first, and one past the last."""
        found = []
        for start, row in zip(self.starts, self.weights, strict=True):
            counting = np.flatnonzero(row)
            found.append((start + int(counting[0]), min(start + int(counting[-1]) + 1, self.size)))
        return tuple(found)

    def meeting(self, pixels: slice) -> tuple[int, ...]:
        """Tiles that count for some of `pixels`."""
        return tuple(
            index
            for index, (first, last) in enumerate(self.reach)
            if first < pixels.stop and last > pixels.start
        )


Key = tuple[int, int]
Tile = NDArray[np.floating[Any]]


class Tiled:
    """The field of a network's results over one image, computed where it is asked for.

    Safe to use from several threads. Each tile is computed once while it is kept; memory does
    not grow with the image. A context manager: leaving it ends its threads.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        read: Read,
        network: Predictor,
        required: Sequence[int],
        threads: int,
        layout: Layout = MASK,
    ) -> None:
        """`shape` is rows and columns of the image.

        `required` are the indexes of the bands without which a pixel is missing.
        """
        self.classes = network.classes
        self._axes = Axis(shape[0], layout), Axis(shape[1], layout)
        self._dtype = layout.dtype
        self._read, self._network, self._required = read, network, list(required)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tiles")
        self._keep = layout.kept * threads
        self._tiles: OrderedDict[Key, tuple[Future[Tile], int]] = OrderedDict()
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def values(self, rows: slice, columns: slice) -> Pixels:
        """(classes, rows, columns) float32 of a block inside the image.

        Probabilities sum to 1 over the classes. NaN where a required band is missing.
        """
        down, across = self._axes
        keys = list(product(down.meeting(rows), across.meeting(columns)))
        size = rows.stop - rows.start, columns.stop - columns.start
        result = np.zeros((self._network.classes, *size), dtype=np.float32)
        for (i, j), (future, index) in zip(keys, self._wanted(keys), strict=True):
            tile = future.result()[index]
            to_rows, of_rows = _overlap(rows, down.starts[i], down.reach[i])
            to_columns, of_columns = _overlap(columns, across.starts[j], across.reach[j])
            weight = down.weights[i, of_rows, None] * across.weights[j, None, of_columns]
            result[:, to_rows, to_columns] += tile[:, of_rows, of_columns] * weight
        return result

    def _wanted(self, keys: Sequence[Key]) -> list[tuple[Future[Tile], int]]:
        """The tiles `keys`, which are being computed from now on where they are not kept."""
        with self._lock:
            missing = [key for key in keys if key not in self._tiles]
            for group in _groups(missing, self._network.batch):
                future = self._pool.submit(self._compute, group)
                for index, key in enumerate(group):
                    self._tiles[key] = future, index
            for key in keys:
                self._tiles.move_to_end(key)
            found = [self._tiles[key] for key in keys]
            while len(self._tiles) > max(self._keep, len(keys)):
                self._tiles.popitem(last=False)
        return found

    def _compute(self, keys: Sequence[Key]) -> Tile:
        """(n, classes, rows, columns) in the layout's dtype, NaN where missing."""
        tiles = np.stack([self._pixels(key) for key in keys])
        missing = np.asarray(np.isnan(tiles[:, self._required]).any(axis=1))
        if missing.all():
            shape = len(keys), self._network.classes, *tiles.shape[2:]
            return np.full(shape, np.nan, dtype=self._dtype)
        result: Tile = self._network(tiles).astype(self._dtype)
        result[np.broadcast_to(missing[:, None], result.shape)] = np.nan
        return result

    def _pixels(self, key: Key) -> Pixels:
        """One tile's image, NaN beyond the image."""
        spans = []
        for axis, index in zip(self._axes, key, strict=True):
            start = axis.starts[index]
            spans.append(slice(start, min(start + axis.side, axis.size)))
        pixels = self._read(spans[0], spans[1])
        lack = [
            (0, axis.side - (span.stop - span.start))
            for axis, span in zip(self._axes, spans, strict=True)
        ]
        return np.pad(pixels, ((0, 0), *lack), constant_values=np.nan)


def _overlap(block: slice, start: int, reach: tuple[int, int]) -> tuple[slice, slice]:
    """Where a tile counts for a block: pixels of the block, pixels of the tile."""
    first, last = max(block.start, reach[0]), min(block.stop, reach[1])
    return slice(first - block.start, last - block.start), slice(first - start, last - start)


def _groups(keys: Sequence[Key], size: int) -> Iterator[Sequence[Key]]:
    for first in range(0, len(keys), size):
        yield keys[first : first + size]
