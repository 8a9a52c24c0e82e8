"""Deep harmonization: a network makes 10 m Sentinel-2-like bands of Landsat's ground.

The networks (`nndacss.models.harmonizer`) are given the scene's bands in the scene's own responses
and pan, brought to the 10 m grid as for any product. What the mask calls ground is theirs; the
rest is bandpass (`nndacss.harmonize.ground` says where the border runs). Where pan is missing they
work without: bit NO_PAN says so, and their card with which loss.

Their standard deviation is kept beside; over snow, of which they saw little, times the factor on
their card (of several members the largest).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.harmonize.bandpass import harmonize as bandpass
from nndacss.harmonize.fields import Field, field
from nndacss.harmonize.ground import Everywhere, Ground
from nndacss.harmonize.result import NETWORK, NO_PAN, SNOW, WITHOUT_PAN, Deviation, Harmonized
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.weights import Choice, Target, choose
from nndacss.models.device import claim
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene
from nndacss.sensors import REFLECTIVE

if TYPE_CHECKING:
    from nndacss.models.harmonizer import Harmonizer
    from nndacss.models.harmonizer_card import Precision

#: Pixels in whose multiples a window is cut: arrays of many sizes would leave holes in memory.
EXTENT = 128


class Deep:
    """Windows of one scene through a harmonizer. Safe to use from several threads."""

    def __init__(
        self,
        scene: Scene,
        settings: HarmonizeSettings,
        network: Harmonizer,
        values: Field,
        ground: Ground,
    ) -> None:
        self._scene, self._settings, self._ground = scene, settings, ground
        self._field, self.uncertain = values, network.uncertain and settings.uncertainty
        self._snow = max(card.snow for card in network.cards)
        self._pan = sees_pan(scene, settings)
        self._order = [REFLECTIVE.index(role) for role in settings.roles]

    def __call__(self, grid: GeoBox) -> Harmonized:
        """One window of the lattice, a pure function of its place."""
        weight = self._ground.weight(grid)
        if not weight.any():
            plain = bandpass(self._scene, grid, self._settings)
            return Harmonized(plain.pixels, plain.source, self._nothing(grid))
        values = self._values(grid, weight)
        source = np.full(grid.shape, NETWORK, dtype=np.uint8)
        pan = self._pan_there(grid)
        source[~pan] |= NO_PAN
        pixels, sigma = values[self._order], values[len(REFLECTIVE) :][self._order]
        if (weight < 1).any():
            plain = bandpass(self._scene, grid, self._settings)
            mixed = weight * np.nan_to_num(pixels) + (1 - weight) * plain.pixels
            pixels = np.where(weight > 0, mixed, plain.pixels)
            source = np.where(weight > 0.5, source, plain.source)
        deviation = self._deviation(grid, sigma, weight, pan) if self.uncertain else None
        return Harmonized(pixels, source, deviation)

    def _values(self, grid: GeoBox, weight: Pixels) -> Pixels:
        """(12, rows, columns): the networks where they are wanted and see ground, NaN elsewhere."""
        wanted = (weight > 0) & self._scene.present(REFLECTIVE[:1], grid)
        if not wanted.any():
            return np.full((2 * len(REFLECTIVE), *grid.shape), np.nan, dtype=np.float32)
        rows, columns = (_extent(np.asarray(wanted.any(axis=axis))) for axis in (1, 0))
        found = self._field(grid[rows, columns])
        if found.shape[1:] == tuple(grid.shape):
            return found
        result = np.full((len(found), *grid.shape), np.nan, dtype=np.float32)
        result[:, rows, columns] = found
        return result

    def _pan_there(self, grid: GeoBox) -> NDArray[np.bool_]:
        if not self._pan:
            return np.zeros(grid.shape, dtype=np.bool_)
        return self._scene.present(("pan",), grid)

    def _deviation(
        self, grid: GeoBox, sigma: Pixels, weight: Pixels, pan: NDArray[np.bool_]
    ) -> Deviation:
        snow = self._ground.snow(grid)
        sigma = np.where(weight > 0.5, sigma, np.float32(np.nan))
        sigma[:, snow] *= np.float32(self._snow)
        flags = np.where(snow, SNOW, 0) | np.where(pan, 0, WITHOUT_PAN)
        return Deviation(sigma, flags.astype(np.uint8))

    def _nothing(self, grid: GeoBox) -> Deviation | None:
        """No network, no deviation."""
        if not self.uncertain:
            return None
        sigma = np.full((len(self._order), *grid.shape), np.nan, dtype=np.float32)
        return Deviation(sigma, np.zeros(grid.shape, dtype=np.uint8))


def _extent(wanted: NDArray[np.bool_]) -> slice:
    """From the first to the last that counts, in whole steps of `EXTENT`."""
    where = np.flatnonzero(wanted)
    start = int(where[0]) // EXTENT * EXTENT
    return slice(start, min(-(-(int(where[-1]) + 1) // EXTENT) * EXTENT, len(wanted)))


def sees_pan(scene: Scene, settings: HarmonizeSettings) -> bool:
    """Whether the networks are given the scene's pan band."""
    return settings.sharpen and "pan" in scene.roles


@contextmanager
def harmonizer(
    scene: Scene,
    settings: HarmonizeSettings,
    choice: Choice,
    ground: Ground,
    grid: GeoBox,
    threads: int,
) -> Iterator[Deep]:
    """Hold a device and the networks for windows around `grid`; errors come before any work."""
    _check_bands(scene)
    pan = sees_pan(scene, settings)

    def read(block: GeoBox) -> Pixels:
        pixels = np.full((len(REFLECTIVE) + 1, *block.shape), np.nan, dtype=np.float32)
        pixels[:-1] = scene.read(REFLECTIVE, block).pixels
        if pan:
            pixels[-1:] = scene.read(("pan",), block).pixels
        return pixels

    with claim(settings.device) as device:
        network = _network(choice.weights, choice.sha256, device, choice.precision(settings))
        with field(network, read, grid, threads) as values:
            yield Deep(scene, settings, network, values, ground)


def _check_bands(scene: Scene) -> None:
    lacking = [role for role in REFLECTIVE if role not in scene.roles]
    if lacking:
        expected = f"all of {', '.join(REFLECTIVE)} for harmonize.method = deep"
        remedy = "order the product again, or use bandpass with fewer harmonize.roles"
        found = f"no {', '.join(lacking)} band"
        raise InputError(complain(scene.identity.name, found, expected, remedy))


@lru_cache(maxsize=2)
def _network(
    names: Sequence[str], sha256: str | None, device: str, precision: Precision
) -> Harmonizer:
    del sha256  # part of the key: a file may be replaced
    from nndacss.models.harmonizer import Harmonizer

    return Harmonizer(names, device, precision)


def target_of(scene: Scene, grid: GeoBox) -> Target:
    """What decides whether the networks suit an open scene."""
    return Target(scene.identity.name, scene.sensor.name, scene.level, abs(grid.affine.a))


def deep(scene: Scene, grid: GeoBox, settings: HarmonizeSettings) -> Harmonized:
    """One window by itself, all of it as ground, since there is no mask here."""
    asked = settings.model_copy(update={"method": "deep"})
    choice = choose(asked, target_of(scene, grid))
    with harmonizer(scene, asked, choice, Everywhere(), grid, threads=1) as window:
        return window(grid)


METHOD = deep
