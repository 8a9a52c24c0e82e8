"""Images through the Proba-V networks, of any size, as if in one piece.

    translate = Translator(generator(weights))      (4, rows, columns) reflectance -> the same
    detect = CloudDetector(cloud_net(weights))      (4, rows, columns) -> (rows, columns), 0..1

Both look at a pixel's surroundings only so far (`TRANSLATE`, `DETECT`). A window of an image with
that much around it, cut at the image's edge and starting at a multiple of 4 (the second), therefore
gives what the whole image gives: no blending, no difference by tile size but for rounding.

Missing pixels enter as 0, as in the published program, and stay missing.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nndacss.errors import WeightsError, complain
from nndacss.models.card import load_weights
from nndacss.models.probav_card import ROLES, Chosen, CloudCard, GeneratorCard
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from torch import Tensor

    from nndacss.models.cyclegan import Generator
    from nndacss.models.separable_unet import CloudNet

#: Rows and columns that a cloud network gets are multiples of it.
MULTIPLE = 4

Place = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True)
class Tile:
    """A window of an image."""

    at: Place
    """What is kept, in the image."""
    around: Place
    """With its halo, cut at the image's edge."""

    @property
    def inside(self) -> Place:
        """What is kept, in the window."""
        rows, columns = (
            slice(keep.start - wide.start, keep.stop - wide.start)
            for keep, wide in zip(self.at, self.around, strict=True)
        )
        return rows, columns


@dataclass(frozen=True)
class Cut:
    """How an image is cut into tiles for a network."""

    halo: int
    """Pixels around a tile that the network has to see; a multiple of `multiple`."""
    core: int
    """Rows and columns that are kept of a window, at most (but for an image's edge)."""
    multiple: int = 1
    """Windows begin at multiples of it."""


#: A generator sees 6 pixels around, a cloud network 23 and takes multiples of 4. What lies around
#: is computed twice, 4 to 6 % of it; buffers for a window are 600 MiB and 1 GiB.
TRANSLATE, DETECT = Cut(8, 768), Cut(24, 1536, MULTIPLE)


def tiles(shape: tuple[int, int], cut: Cut) -> Iterator[Tile]:
    """Windows that cover an image of `shape`, row by row."""
    down, across = (_spans(size, cut) for size in shape)
    for (rows, wide_rows), (columns, wide_columns) in product(down, across):
        yield Tile((rows, columns), (wide_rows, wide_columns))


def _spans(size: int, cut: Cut) -> list[tuple[slice, slice]]:
    """What is kept along one axis, and with what lies around.

    Windows are equally large (a network is compiled for a shape), which is as small as can be:
    those at an edge have a halo on one side alone. Where `size` is no multiple, the last is short.
    """
    halo, multiple = cut.halo, cut.multiple
    count = max(math.ceil((size - 2 * halo) / cut.core), 1)
    wide = math.ceil((size + 2 * halo * (count - 1)) / count / multiple) * multiple
    latest = max(math.ceil((size - wide) / multiple) * multiple, 0)
    found, stop = [], 0
    while stop < size:
        start, first = stop, max(min(stop - halo, latest), 0)
        last = min(first + wide, size)
        stop = size if last == size else last - halo
        found.append((slice(start, stop), slice(first, last)))
    return found


def in_tiles(
    read: Callable[[Place], Pixels],
    network: Callable[[Pixels], Pixels],
    shape: tuple[int, int],
    cut: Cut,
) -> Iterator[tuple[Tile, Pixels]]:
    """Every tile with what the network makes of it, in order.

    `read` is called in the caller's thread (HDF5 does one thing at a time anyway), which reads the
    next tile and uses the last one while the network has one in another thread.
    """
    waiting: deque[tuple[Tile, Future[Pixels]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for tile in tiles(shape, cut):
            waiting.append((tile, pool.submit(network, read(tile.around))))
            if len(waiting) > 1:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


class _Network:
    """What both share: a prepared network on its device."""

    def __init__(
        self, network: Generator | CloudNet, device: str = "cpu", threads: int = 1
    ) -> None:
        """The network is taken over and changed.

        `device` is `cpu` or `cuda:<n>`; `threads` are those of one call on a processor.
        """
        from nndacss.models.separable_prepare import prepare

        self.bands = network.bands
        self._run = prepare(network, device, threads)
        self._lock = threading.Lock() if device != "cpu" else None

    def _predict(self, pixels: Pixels) -> Tensor:
        """(bands, rows, columns), NaN as 0, to what the network makes of it."""
        import torch

        planes = torch.from_numpy(np.ascontiguousarray(pixels))[None].nan_to_num(nan=0.0)
        if self._lock is None:
            return self._run(planes)[0]
        with self._lock:
            return self._run(planes)[0]


class Translator(_Network):
    """Reflectance of one sensor as another would see it. Safe to use from several threads."""

    def __call__(self, pixels: Pixels) -> Pixels:
        """(bands, rows, columns) reflectance to the same, unclipped; NaN where any is missing."""
        missing = np.isnan(pixels).any(axis=0)
        if missing.all():
            return np.full_like(pixels, np.nan)
        if missing.any():  # a pixel that lacks one band has none
            pixels = np.where(missing, np.float32(np.nan), pixels)
        result: Pixels = self._predict(pixels).numpy()
        result[:, missing] = np.nan
        return result


class CloudDetector(_Network):
    """Probability of cloud. Safe to use from several threads."""

    def __call__(self, pixels: Pixels) -> Pixels:
        """(bands, rows, columns) reflectance to (rows, columns), 0..1; NaN where any is missing.

        Sides that are no multiple of 4 are mirrored at their end, as the published program does.
        """
        missing = np.isnan(pixels).any(axis=0)
        if missing.all():
            return np.full(missing.shape, np.nan, dtype=np.float32)
        rows, columns = missing.shape
        lack = [(0, -size % MULTIPLE) for size in (rows, columns)]
        if missing.any():  # a pixel that lacks one band has none
            pixels = np.where(missing, np.float32(np.nan), pixels)
        if any(more for _, more in lack):
            pixels = np.pad(pixels, ((0, 0), *lack), mode="reflect")
        probability: Pixels = self._predict(pixels)[0].sigmoid().numpy()[:rows, :columns]
        probability[missing] = np.nan
        return probability


def generator(weights: Chosen) -> Generator:
    """The generator with its weights, in eval mode; WeightsError where they do not fit."""
    from nndacss.models.cyclegan import Generator
    from nndacss.models.keras_weights import load_generator

    if weights.keras:
        network = load_generator(weights.path)
    else:
        card, tensors = load_weights(weights.path, GeneratorCard)
        given = card.architecture
        network = Generator(given.bands, given.filters, given.norm)
        _put(network, tensors, weights.path)
    _four_bands(weights, network.bands)
    return network


def cloud_net(weights: Chosen) -> CloudNet:
    """Proba-V's cloud network with its weights, in eval mode; WeightsError as `generator`."""
    from nndacss.models.keras_weights import load_cloud_net
    from nndacss.models.separable_unet import CloudNet

    if weights.keras:
        network = load_cloud_net(weights.path)
        if bool((network.normalization.scale != 1).any()):
            found = "a network whose bands are scaled, as those for Landsat-8 and Sentinel-2 are"
            remedy = "choose weights for Proba-V; for Landsat scenes these go into mask.weights"
            raise WeightsError(complain(weights.path, found, "Proba-V's cloud network", remedy))
    else:
        card, tensors = load_weights(weights.path, CloudCard)
        network = CloudNet(card.architecture.bands, card.architecture.filters)
        _put(network, tensors, weights.path)
    _four_bands(weights, network.bands)
    return network


def _put(network: Generator | CloudNet, tensors: dict[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        found = " ".join(str(error).split())[:200]
        remedy = "take card and weights from one export"
        raise WeightsError(complain(path, found, "the network its card states", remedy)) from error
    network.eval()


def _four_bands(weights: Chosen, bands: int) -> None:
    if bands != len(ROLES):
        found, expected = f"a network for {bands} bands", f"Proba-V's {len(ROLES)}"
        raise WeightsError(complain(weights.path, found, expected, "choose weights for Proba-V"))
