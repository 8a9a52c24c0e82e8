"""Clouds that bring more than an outline: those of the image itself, and matched pairs.

`SeenCloud` is the cloud that an image shows already, as thick as it is bright, so that it can cast
the shadow that the image lacks. `PairedCloud` is a cloud of the bank together with the shadow that
it really threw; both are turned until the shadow lies where the patch's sun throws it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.inpaint.bank import MaskBank, Pair, folded
from nndacss.inpaint.cast import Geometry, in_pixels
from nndacss.inpaint.shapes import DENSE, EDGE, Body, filled
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import Layer
from nndacss.raster import Pixels
from nndacss.simulate.atmosphere import cloud_reflectance

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Bands whose brightness tells a cloud's thickness, best first.
_TELLING = ("red", "green", "blue", "pan", "nir08", "nir", "coastal")
#: Reflectance of ground that is assumed below a cloud.
_BELOW = 0.08
#: Largest share of an endlessly thick cloud's light: brighter pixels tell no more.
_WHITE = 0.9
#: Metres to an outline where a crop of the bank ends: far outside.
_FAR = -1e4


@dataclass(frozen=True)
class SeenCloud(Body):
    """The cloud of an image; beyond the image's border it goes on as its mirror image."""

    seen: Field
    """(rows, columns) of the image: optical thickness straight down, 0 where there is none."""

    @property
    def name(self) -> str:
        """Its own."""
        return "the image's own cloud"

    def thickness(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness straight down at 0.55 um, to the nearest pixel."""
        rows = folded(round(top), shape[0], self.seen.shape[0])
        columns = folded(round(left), shape[1], self.seen.shape[1])
        return self.seen[np.ix_(rows, columns)]


def seen_thickness(pixels: Pixels, roles: tuple[str, ...], mask: Mask) -> Field:
    """(rows, columns) optical thickness of the cloud `mask` by its brightness; 0 outside it.

    The light it sends back is taken as a share of an endlessly thick one's over dark ground. No
    cloud that people marked is thinner than the edge of a painted one.
    """
    known = [role for role in _TELLING if role in roles]
    band = pixels[roles.index(known[0])] if known else pixels[0]
    share = np.clip((band - _BELOW) / (1 - _BELOW), 0, _WHITE)
    missing = np.isnan(share)
    usual = float(np.median(share[mask & ~missing])) if (mask & ~missing).any() else 0.5
    share = np.where(missing, np.float32(usual), share)
    # share = g t / (1 + g t)
    per_depth = float(cloud_reflectance(np.ones(1, np.float32))[0])
    per_depth /= 1 - per_depth
    thickness = np.clip(share / (1 - share) / np.float32(per_depth), EDGE, DENSE)
    return np.where(mask, thickness, 0).astype(np.float32)


@dataclass(frozen=True)
class Crop:
    """The signed distance to one outline of a pair, over the plane of a patch."""

    inner: Field
    """(rows, columns) metres on the ground, as magnified; pixels of the mask."""
    matrix: NDArray[np.float64]
    """(2, 2) from pixels of the patch to pixels of the mask."""
    start: NDArray[np.float64]
    """The mask's place that lies on the patch's first pixel."""

    def distance(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """Metres to the outline for a window of the plane; beyond the crop far outside."""
        start = self.start + self.matrix @ (top, left)
        field: Field = ndimage.affine_transform(
            self.inner, self.matrix, start, shape, np.float32, order=1, mode="constant", cval=_FAR
        )
        return field


@dataclass(frozen=True)
class PairedCloud(Body):
    """A cloud with the shadow that it threw; both look as thick as `layer` makes them."""

    cloud: Crop
    shadow: Crop
    texture: Texture
    title: str

    @property
    def name(self) -> str:
        """Where the pair was seen."""
        return f"pair of {self.title}"

    def thickness(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness straight down at 0.55 um."""
        within = self.cloud.distance(top, left, shape)
        return filled(self.layer, self.texture, self.metres, within, (top, left))

    def slant(self, geometry: Geometry, shape: tuple[int, int]) -> Field:
        """(rows, columns) optical thickness along the beam, inside the shadow that was seen."""
        within = self.shadow.distance(0, 0, shape)
        down = filled(self.layer, self.texture, self.metres, within, (0, 0))
        return down * np.float32(1 / np.sin(np.radians(geometry.sun_elevation)))


def paired(
    bank: MaskBank,
    pair: Pair,
    layer: Layer,
    geometry: Geometry,
    shape: tuple[int, int],
    metres: float,
    rng: Generator,
) -> PairedCloud:
    """A pair of the bank over a patch, its cloud's middle anywhere in it.

    Turned so that the step from cloud to shadow points where this sun throws shadows, or first
    mirrored along that step.
    """
    record = bank.records[pair.cloud]
    scale = record.metres * layer.zoom
    wanted = np.array(in_pixels(geometry.offset(layer.height), metres))
    matrix = turned(np.array(pair.step), wanted) * (metres / scale)
    if rng.random() < 0.5:
        along = np.array(pair.step) / np.hypot(*pair.step)
        matrix = (2 * np.outer(along, along) - np.eye(2)) @ matrix
    size = (record.rows, record.columns)
    place = rng.uniform(0, 1, 2) * (np.array(shape) - 1)
    start = np.array(pair.middle) - matrix @ place
    cloud, shadow = (
        Crop(bank.distances(index, 0, 0, size) * np.float32(scale), matrix, start)
        for index in (pair.cloud, pair.shadow)
    )
    texture = Texture(rng, layer.grain, layer.stretch)
    return PairedCloud(layer, metres, cloud, shadow, texture, record.name)


def turned(step: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) the rotation that takes the direction of `wanted` to that of `step`.

    Both are (down, right). It maps places of a patch to those of a mask, so that what lies in the
    mask's direction `step` comes to lie in the patch's direction `wanted`.

    >>> turned(np.array([0.0, 2.0]), np.array([5.0, 0.0])).round(6).tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    angle = np.arctan2(step[1], step[0]) - np.arctan2(wanted[1], wanted[0])
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
