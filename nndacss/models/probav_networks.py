"""Images through the Proba-V networks, of any size, as if in one piece.

    translate = Translator(generator(weights))      (4, rows, columns) reflectance -> the same
    detect = CloudDetector(cloud_net(weights))      (4, rows, columns) -> (rows, columns), 0..1

Both look at a pixel's surroundings only so far (`HALO`). A window of an image with that much
around it, cut at the image's edge and starting at a multiple of 4, therefore gives what the whole
image gives: no blending, and no difference by tile size but for rounding.

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

#: Pixels around a window that a network has to see, multiples of 4: their reach is 6 and 23.
TRANSLATE_HALO, DETECT_HALO = 8, 24
#: Rows and columns that are kept of a window, at most, by halo: what lies around costs an eighth
#: at most, and a thread holds about 300 MiB.
CORES = {TRANSLATE_HALO: 512, DETECT_HALO: 768}
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


def tiles(shape: tuple[int, int], halo: int, core: int | None = None) -> Iterator[Tile]:
    """Windows that cover an image of `shape`, row by row; `core` and `halo` multiples of 4."""
    down, across = (_spans(size, halo, core or CORES[halo]) for size in shape)
    for (rows, wide_rows), (columns, wide_columns) in product(down, across):
        yield Tile((rows, columns), (wide_rows, wide_columns))


def _spans(size: int, halo: int, core: int) -> list[tuple[slice, slice]]:
    """What is kept along one axis, and with what lies around.

    As equal as can be: buffers of one size are used again and again, of many sizes they leave
    holes in memory.
    """
    step = math.ceil(size / math.ceil(size / core) / MULTIPLE) * MULTIPLE
    found = []
    for start in range(0, size, step):
        stop = min(start + step, size)
        first = min(start - halo, size - step - 2 * halo) // MULTIPLE * MULTIPLE
        first = max(first, 0)
        last = min(max(stop + halo, first + step + 2 * halo), size)
        found.append((slice(start, stop), slice(first, last)))
    return found


def in_tiles(
    read: Callable[[Place], Pixels],
    network: Callable[[Pixels], Pixels],
    shape: tuple[int, int],
    halo: int,
    threads: int,
) -> Iterator[tuple[Tile, Pixels]]:
    """Every tile with what the network makes of it, in order; one tile a thread in flight.

    `read` is called in the caller's thread: HDF5 does one thing at a time anyway.
    """
    waiting: deque[tuple[Tile, Future[Pixels]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for tile in tiles(shape, halo):
            waiting.append((tile, pool.submit(network, read(tile.around))))
            if len(waiting) > threads:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


class _Network:
    """What both share: a prepared network on its device."""

    def __init__(self, network: Generator | CloudNet, device: str = "cpu") -> None:
        """The network is taken over and changed; `device` is `cpu` or `cuda:<n>`."""
        from nndacss.models.separable_prepare import prepare

        self.bands = network.bands
        self._run = prepare(network, device)
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
