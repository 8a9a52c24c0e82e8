"""Steps of painting, as generators that ask for what only a network can give, and go on with it.

A step is a Python generator. It yields a `Request` where pixels shall come from a network and is
sent the restored image; it returns what it has painted. Painters of many patches are carried on
side by side, and their requests answered in batches, see `nndacss.inpaint.painter`. With the
physical renderer no step ever asks.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.inpaint import render
from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.precedence import (
    CLOUD,
    SHADOW,
    SHADOW_FROM,
    SNOW,
    change,
    clouded,
    shadowed,
    snowed,
)
from nndacss.inpaint.shapes import Body
from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.simulate.atmosphere import cloud_reflectance

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
T = TypeVar("T")

#: Share of a cloud's light from which on a network's pixels count in full; thinner cloud lets what
#: optics makes of the ground shine through.
OPAQUE = 0.5


@dataclass(frozen=True)
class Request:
    """Pixels that a network shall restore."""

    structure: str
    """`cloud`, `shadow` or `snow`."""
    pixels: Pixels
    """(bands, rows, columns)."""
    roles: tuple[str, ...]
    hole: Mask
    """(rows, columns) where."""


Steps = Generator[Request, Pixels, T]
"""Asks for pixels, is sent them, and returns a T."""


@dataclass(frozen=True)
class View:
    """A patch under its sun, as far as it is painted."""

    pixels: Pixels
    """(bands, rows, columns) reflectance, NaN missing."""
    sets: Sets
    """(rows, columns)."""
    roles: tuple[str, ...]
    metres: float
    geometry: Geometry
    light: render.Light
    feather: float | None = None
    """Metres over which a network's pixels rise to their full share; None: optics alone."""
    shadow_from: float = SHADOW_FROM
    """Share of the sun's light whose loss is labelled shadow."""
    story: tuple[str, ...] = ()
    """What was painted, for notes."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.sets.shape[0], self.sets.shape[1]

    def told(self, *words: str) -> View:
        """With some more words."""
        return replace(self, story=(*self.story, *words))


def snow_steps(view: View, cover: Field, age: float) -> Steps[View]:
    """Snow that covers the share `cover` (rows, columns) of each pixel; `age` 0 fresh to 1 old."""
    painted = render.snow(view.pixels, view.roles, view.light, cover, age)
    sets = snowed(view.sets, cover)
    hole = new(view.sets, sets, SNOW)
    painted = yield from restored(view, "snow", painted, hole, cover)
    return replace(view, pixels=painted, sets=sets)


def overcast_steps(view: View, clouds: Sequence[Body], fill: float) -> Steps[View]:
    """Some clouds: first the shadows of all, then the clouds, lowest first.

    `fill` is the share of the lost light that neighbours throw into the shadows, 0 to 1.
    """
    view = yield from shadow_steps(view, clouds, fill)
    for cloud in sorted(clouds, key=lambda one: one.layer.height):
        thickness = cloud.thickness(0, 0, view.shape)
        shade = cloud.shade(thickness, view.geometry)
        painted = render.cloud(view.pixels, view.roles, view.light, cloud.layer, thickness, shade)
        share = cloud_reflectance(thickness)
        sets = clouded(view.sets, share, change(view.pixels, painted))
        hole = new(view.sets, sets, CLOUD)
        opacity = np.minimum(share / np.float32(OPAQUE), 1)
        painted = yield from restored(view, "cloud", painted, hole, opacity)
        view = replace(view, pixels=painted, sets=sets).told(cloud.name)
    return view


def shadow_steps(view: View, clouds: Sequence[Body], fill: float) -> Steps[View]:
    """The shadows of some clouds, without the clouds; see `overcast_steps`."""
    slant = np.zeros(view.shape, np.float32)
    for cloud in clouds:
        slant += cloud.slant(view.geometry, view.shape)
    slant[(view.sets & CLOUD != 0) | (view.sets == SHADOW)] = 0
    straight, scattered = render.sunlight(slant, fill)
    painted = render.shadow(view.pixels, view.roles, view.light, straight, scattered)
    lost = 1 - straight - scattered
    seen = change(view.pixels, painted)
    sets = shadowed(view.sets, lost, seen, view.shadow_from)
    hole = new(view.sets, sets, SHADOW)
    painted = yield from restored(view, "shadow", painted, hole, np.ones(1, np.float32))
    return replace(view, pixels=painted, sets=sets)


def restored(
    view: View, structure: str, painted: Pixels, hole: Mask, opacity: Field
) -> Steps[Pixels]:
    """`painted` with a network's pixels in the hole, as opaque as said; as it is without one.

    So does a patch that shows nothing but the hole: a network must see something.
    """
    if view.feather is None or not hole.any():
        return painted
    if not (~hole & ~np.isnan(painted).all(axis=0)).any():
        return painted
    filled = yield Request(structure, painted, view.roles, hole)
    share = ramp(hole, view.feather / view.metres) * opacity
    mixed: Pixels = painted + share * (filled - painted)
    return np.where(hole, mixed, painted)


def new(before: Sets, after: Sets, code: np.uint16) -> Mask:
    """(rows, columns) where a class was painted for sure: fewer are open than if it only might be.

    >>> C, S, X = 1, 4, 8
    >>> before, after = np.array([[C, C, 7, X]], np.uint16), np.array([[X, C | X, X, X]], np.uint16)
    >>> new(before, after, np.uint16(X)).tolist()
    [[True, False, True, False]]
    """
    open_, most = np.bitwise_count(after), np.bitwise_count(before | code)
    return np.asarray((after != before) & (after & code != 0) & (open_ < most))


def ramp(mask: Mask, width: float) -> Field:
    """(rows, columns) 0 outside a mask, rising inside it to 1 over `width` pixels.

    >>> ramp(np.array([[False, True, True, True]]), 3.0).tolist()
    [[0.0, 0.25, 0.5, 0.75]]
    """
    if mask.all():
        return np.ones(mask.shape, np.float32)
    far = ndimage.distance_transform_edt(mask)
    rise: Field = np.minimum(far / (width + 1), 1).astype(np.float32)
    return rise


def alone(steps: Steps[T]) -> T:
    """The result of steps that ask for nothing, those of the physical renderer."""
    try:
        next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("painting without networks asked for one")
