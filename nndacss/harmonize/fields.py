"""A harmonizer over a scene: any rectangle of the output's lattice, the same values however asked.

Networks with a finite reach see that much around a rectangle, on cells of the global lattice, and
so agree wherever two rectangles meet: nothing to blend, no tile computed twice. Networks without
(the published U-Nets look at their whole tile) run on tiles of the global lattice that overlap and
are blended, see `nndacss.models.tiled`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.harmonize.ground import place
from nndacss.models.tiled import Layout, Predictor, Tiled
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from nndacss.models.harmonizer import Harmonizer

#: Rectangles start at multiples of this on the lattice: whole cells of 30 m, and of the 20 m that
#: Sentinel-2's coarser bands have.
PHASE = 6
#: Tiles of networks without a finite reach: side as near to 512 as the network allows.
SIDE, STRIDE, RIM = 512, 432, 16
#: Pixels beyond the output that a lattice window may reach: the largest window.
BEYOND = 2048
#: Tiles that are kept a thread, 12 MiB each: those of a row of windows across a part.
KEPT = 18


Read = Callable[[GeoBox], Pixels]
"""A grid of the lattice -> (bands, rows, columns) as the networks see the scene, NaN missing; pan
last."""
Field = Callable[[GeoBox], Pixels]
"""A grid of the lattice -> (planes, rows, columns) float32, NaN where ground is missing."""


@contextmanager
def field(network: Harmonizer, read: Read, grid: GeoBox, threads: int) -> Iterator[Field]:
    """The network over the scene, for grids inside the lattice windows around `grid`."""
    if network.reach:
        yield Near(Together(network) if network.batch > 1 else network, network, read)
        return
    with far(network, read, grid, threads) as found:
        yield found


class Near:
    """A network of finite reach. Safe to use from several threads."""

    def __init__(self, run: Predictor, network: Harmonizer, read: Read) -> None:
        self._run, self._read = run, read
        self._reach, self._step = network.reach, math.lcm(PHASE, network.multiple)

    def __call__(self, grid: GeoBox) -> Pixels:
        """See `Field`."""
        spans = [
            _around(first, size, self._reach, self._step)
            for first, size in zip(place(grid), grid.shape, strict=True)
        ]
        before = [first - start for first, (start, _) in zip(place(grid), spans, strict=True)]
        pixels = self._read(shifted(grid, -before[0], -before[1], (spans[0][1], spans[1][1])))
        rows, columns = (
            slice(lead, lead + size) for lead, size in zip(before, grid.shape, strict=True)
        )
        missing = np.asarray(np.isnan(pixels[:-1, rows, columns]).any(axis=0))
        if missing.all():
            return np.full((self._run.classes, *grid.shape), np.nan, dtype=np.float32)
        values: Pixels = self._run(pixels[None])[0, :, rows, columns]
        return np.where(missing, np.float32(np.nan), values)


def _around(first: int, size: int, reach: int, step: int) -> tuple[int, int]:
    """Start and length of the whole cells of `step` that hold `reach` pixels on both sides."""
    start = (first - reach) // step * step
    return start, -(-(first + size + reach - start) // step) * step


class Together:
    """Rectangles of several threads as one batch of a card's network."""

    batch = 1

    def __init__(self, network: Predictor) -> None:
        self.classes = network.classes
        self._network = network
        self._waiting: dict[Future[Pixels], Pixels] = {}
        self._lock, self._running = threading.Lock(), threading.Lock()

    def __call__(self, pixels: Pixels) -> Pixels:
        """(1, bands, rows, columns): with what else waits in that shape, once the card is free."""
        own: Future[Pixels] = Future()
        with self._lock:
            self._waiting[own] = pixels
        with self._running:
            try:
                while not own.done():
                    self._work(pixels.shape)
            finally:
                with self._lock:
                    self._waiting.pop(own, None)
        return own.result()

    def _work(self, shape: tuple[int, ...]) -> None:
        """One batch of what has waited longest in that shape."""
        with self._lock:
            alike = [entry for entry in self._waiting.items() if entry[1].shape == shape]
        group = alike[: self._network.batch]
        values = self._network(np.concatenate([pixels for _, pixels in group]))
        with self._lock:
            for index, (future, _) in enumerate(group):
                del self._waiting[future]
                future.set_result(values[index : index + 1])


@contextmanager
def far(network: Harmonizer, read: Read, grid: GeoBox, threads: int) -> Iterator[Field]:
    """A network without bound on tiles around `grid`, which may be asked for a window beyond."""
    side = max(SIDE // network.multiple, 1) * network.multiple
    stride = STRIDE if side == SIDE else (side * STRIDE // SIDE) // PHASE * PHASE
    layout = Layout(side, stride, RIM, network.multiple, np.float32, KEPT)
    margin = BEYOND + side
    spans = []
    for first, size in zip(place(grid), grid.shape, strict=True):
        start = (first - margin) // stride * stride
        spans.append((start, -(-(first + size + margin - start) // stride) * stride + side))
    origin = [start - first for (start, _), first in zip(spans, place(grid), strict=True)]
    shape = spans[0][1], spans[1][1]
    image = shifted(grid, origin[0], origin[1], shape)

    def window(rows: slice, columns: slice) -> Pixels:
        return read(image[rows, columns])

    ground = range(len(network.cards[0].roles) - 1)
    with Tiled(shape, window, network, ground, threads, layout) as tiles:

        def values(wanted: GeoBox) -> Pixels:
            rows, columns = (
                slice(there - start, there - start + size)
                for there, (start, _), size in zip(place(wanted), spans, wanted.shape, strict=True)
            )
            return tiles.values(rows, columns)

        yield values


def shifted(grid: GeoBox, rows: int, columns: int, shape: tuple[int, int]) -> GeoBox:
    """The grid of `shape` on the same lattice that starts so many rows and columns later."""
    return GeoBox(shape, grid.affine @ Affine.translation(columns, rows), grid.crs)
