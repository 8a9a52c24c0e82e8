"""An outline from the bank laid over a patch, as fields of optical thickness.

The outline's signed distance d, in metres on the ground, and a fractal field n with variance 1
give the optical thickness straight down,

    t = exp(rough * n) * (EDGE + peak * (1 - exp(-d / width)))    inside the outline,
    t = exp(rough * n) * EDGE * exp(d / hem)                      outside, where d is below 0.

So a cloud begins with a hem of wisps, is soon white, and grows thicker inwards ever more slowly;
small clouds stay thin, and texture goes on inside large ones. All fields are functions of a place
on the plane: the shadow is that of the very same cloud, also of one that stands beside the patch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import ceil, hypot

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.inpaint.bank import MaskBank, Spot
from nndacss.inpaint.cast import Geometry, in_pixels
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import Layer

Field = NDArray[np.float32]

#: Optical thickness at an outline: where people who draw masks see a cloud begin.
EDGE = 0.4
#: Taken off everywhere, so that a cloud ends: its edge beyond this cannot be seen.
FAINT = 0.02
#: Largest optical thickness.
DENSE = 300.0
#: Largest number of slabs that a cloud is cut into when it casts its shadow.
SLABS = 12
#: Angle under which the sun's disc is seen, radians.
DISC = 0.0093


@dataclass(frozen=True)
class Outline:
    """A mask of the bank, turned, mirrored and magnified, over the plane of a patch."""

    bank: MaskBank
    spot: Spot
    matrix: NDArray[np.float64]
    """(2, 2) from pixels of the patch to pixels of the mask."""
    centre: tuple[float, float]
    """The patch's pixel that lies on the spot."""
    scale: float
    """Metres on the ground a pixel of the mask, as magnified."""

    def distance(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """Signed distance to the outline in metres, for a window that starts at (top, left)."""
        place = np.array([top, left]) - self.centre
        start = self.matrix @ place + (self.spot.row, self.spot.column)
        sides = self.matrix * (np.array(shape) - 1)
        low = np.floor(start + np.minimum(sides, 0).sum(axis=1)).astype(int) - 1
        high = np.ceil(start + np.maximum(sides, 0).sum(axis=1)).astype(int) + 2
        size = high - low
        part = self.bank.distances(
            self.spot.index, int(low[0]), int(low[1]), (int(size[0]), int(size[1]))
        )
        field: Field = ndimage.affine_transform(
            part, self.matrix, start - low, shape, np.float32, order=1, mode="nearest"
        )
        field *= np.float32(self.scale)
        return field


def lay(
    bank: MaskBank,
    kind: str,
    shape: tuple[int, int],
    metres: float,
    zoom: float,
    cover: float,
    rng: Generator,
) -> Outline:
    """A mask that covers about the share `cover` of a patch of `shape` pixels of `metres`."""
    spot = bank.pick(kind, max(shape) * metres / zoom, cover, rng)
    scale = bank.records[spot.index].metres * zoom
    turn = rng.uniform(0, 2 * np.pi)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ np.diag([1.0, mirror]) * (metres / scale)
    return Outline(bank, spot, matrix, ((shape[0] - 1) / 2, (shape[1] - 1) / 2), scale)


@dataclass(frozen=True)
class Body(ABC):
    """Clouds over the plane of a patch, of whatever shape."""

    layer: Layer
    metres: float
    """Of a pixel."""

    @property
    def name(self) -> str:
        """What it was made of, in a word, for notes."""
        return ""

    @abstractmethod
    def thickness(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness straight down at 0.55 um, of a window of the plane."""

    def slant(self, geometry: Geometry, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness along the sun's beam to the ground.

        The cloud is cut into slabs from base to top, each with its own shadow: a column of it
        fills more of them the thicker it is. The sun's disc blurs all edges.
        """
        base, top = (
            np.array(in_pixels(geometry.offset(height), self.metres))
            for height in (self.layer.height, self.layer.height + self.layer.depth)
        )
        slabs = int(np.clip(ceil(float(np.abs(top - base).max()) / 1.5), 1, SLABS))
        # where each slab's shadow comes from, as steps from the corner of one window for all
        first, share = -np.maximum(base, top), np.linspace(0, 1, slabs)[:, None]
        steps = np.rint(-(base + (top - base) * share) - first).astype(int)
        more = steps.max(axis=0)
        wide = self.thickness(first[0], first[1], (shape[0] + more[0], shape[1] + more[1]))
        filled = np.ceil(np.sqrt(np.minimum(wide / np.float32(self.layer.peak), 1)) * slabs)
        wide /= np.maximum(filled, 1)
        total = np.zeros(shape, np.float32)
        for number, (down, right) in enumerate(steps):
            window = np.s_[down : down + shape[0], right : right + shape[1]]
            total += np.where(filled[window] > number, wide[window], 0)
        total *= np.float32(1 / np.sin(np.radians(geometry.sun_elevation)))
        reach = hypot(self.layer.height, hypot(*geometry.offset(self.layer.height)))
        sigma = DISC * reach / self.metres / 4
        # a blur of less than a third of a pixel changes nothing that one sees
        if sigma > 0.35:
            ndimage.gaussian_filter(total, sigma, truncate=2.5, output=total)
        return total

    def shade(self, thickness: Field, geometry: Geometry) -> Field:
        """Brightness of the cloud's top relative to a flat one, within `relief` of 1.

        Its top rises with the logarithm of its thickness, by `depth` in all. A slope that faces
        the sun is brighter, one that turns away darker; light from all around bounds both.
        """
        layer = self.layer
        if layer.relief == 0:
            return np.ones((1, 1), np.float32)
        rise = layer.depth / np.log1p(layer.peak) / (2 * self.metres)
        height = np.log1p(thickness) * np.float32(rise)
        for _ in range(2):
            height = ndimage.uniform_filter(height, 3, mode="nearest")
        height = np.pad(height, 1, mode="edge")
        east = height[1:-1, 2:] - height[1:-1, :-2]
        north = height[:-2, 1:-1] - height[2:, 1:-1]
        azimuth, elevation = np.radians((geometry.sun_azimuth, geometry.sun_elevation))
        to_sun = np.float32(np.sin(azimuth)) * east + np.float32(np.cos(azimuth)) * north
        away = np.float32(1 / np.tan(elevation)) * to_sun
        result: Field = 1 - np.float32(layer.relief) * away / np.sqrt(1 + away * away)
        return result


@dataclass(frozen=True)
class Cloud(Body):
    """One layer in an outline."""

    outline: Outline
    texture: Texture

    @property
    def name(self) -> str:
        """The mask's."""
        return self.outline.bank.records[self.outline.spot.index].name

    def thickness(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness straight down at 0.55 um."""
        within = self.outline.distance(top, left, shape)
        return filled(self.layer, self.texture, self.metres, within, (top, left))


def filled(
    layer: Layer, texture: Texture, metres: float, within: Field, at: tuple[float, float]
) -> Field:
    """(rows, columns) optical thickness where the signed distance to an outline is `within`.

    `within` is in metres and overwritten; its first pixel lies at the plane's place `at`.
    """
    shape = (within.shape[0], within.shape[1])
    # ridges of the distance half way between two edges would show
    reach = int(layer.width / metres / 4)
    if reach > 1:
        within = ndimage.uniform_filter(within, reach, mode="nearest")
        within = ndimage.uniform_filter(within, reach, mode="nearest")
    outside = np.minimum(within, 0)
    outside *= np.float32(1 / layer.hem)
    np.maximum(within, 0, out=within)
    within *= np.float32(-1 / layer.width)
    power = np.float32(layer.rough) * texture.at(at[0], at[1], shape)
    power += np.maximum(outside, -20)
    bulk = np.exp(power)
    bulk *= np.float32(EDGE + layer.peak) - np.float32(layer.peak) * np.exp(within)
    bulk -= np.float32(FAINT)
    result: Field = np.clip(bulk, 0, DENSE, out=bulk)
    return result
