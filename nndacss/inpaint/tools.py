"""What can be painted into a patch: clouds with shadows, snow, a shadow alone, a shifted copy.

Each draws what it needs and then paints in `nndacss.inpaint.steps`. The modes are compositions of
these, see `nndacss.inpaint.modes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.inpaint import render, snowfields
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.bodies import SeenCloud, paired, seen_thickness
from nndacss.inpaint.cast import in_pixels
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.precedence import CLEAR, CLOUD, SHADOW, placed
from nndacss.inpaint.shapes import Body, Cloud, lay
from nndacss.inpaint.steps import (
    Steps,
    View,
    overcast_steps,
    ramp,
    shadow_steps,
    snow_steps,
)
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import draw_layer, log_uniform

Mask = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

#: Matched pairs that are painted into one patch at most.
MOST_PAIRS = 4
#: Share of a copied structure in a pixel from which on it is the pixel's label.
COPIED_FROM = 0.5


@dataclass(frozen=True)
class Tools:
    """What paints with one bank and settings."""

    bank: MaskBank
    settings: PaintOptions

    def clouds(self, view: View, rng: Generator) -> Steps[View]:
        """One layer of clouds or two, with their shadows."""
        clouds = self._sky(view, rng)
        fill = float(rng.uniform(*self.settings.fill))
        return (yield from overcast_steps(view, clouds, fill))

    def _sky(self, view: View, rng: Generator) -> list[Body]:
        # without pairs nothing is drawn for them
        if self.settings.pair_chance and rng.random() < self.settings.pair_chance:
            return self._pairs(view, rng)
        clouds: list[Body] = [self._cloud(view, rng)]
        if rng.random() < self.settings.second_chance:
            clouds.append(self._cloud(view, rng))
        return clouds

    def _cloud(self, view: View, rng: Generator) -> Cloud:
        layer = draw_layer(self.settings, rng)
        cover = log_uniform(self.settings.cover, rng)
        outline = lay(self.bank, "cloud", view.shape, view.metres, layer.zoom, cover, rng)
        return Cloud(layer, view.metres, outline, Texture(rng, layer.grain, layer.stretch))

    def _pairs(self, view: View, rng: Generator) -> list[Body]:
        """Matched pairs of one weather, any of the bank."""
        layer, some = draw_layer(self.settings, rng), int(rng.integers(1, MOST_PAIRS + 1))
        chosen = [self.bank.pairs[int(rng.integers(len(self.bank.pairs)))] for _ in range(some)]
        found: list[Body] = []
        for pair in chosen:
            own = replace(layer, zoom=log_uniform(self.settings.zoom, rng))
            geometry = view.geometry
            found.append(paired(self.bank, pair, own, geometry, view.shape, view.metres, rng))
        return found

    def snow(self, view: View, rng: Generator, where: Mask | None = None) -> Steps[View]:
        """Snow where there is no cloud, or `where` (rows, columns) says, thinning to its border."""
        cover, zoom = log_uniform(self.settings.cover, rng), log_uniform(self.settings.zoom, rng)
        outline = lay(self.bank, "snow", view.shape, view.metres, zoom, cover, rng)
        soft = 1 / log_uniform((40.0, 400.0), rng)
        depth = outline.distance(0, 0, view.shape) * np.float32(soft)
        depth += np.float32(0.5) * Texture(rng, 1.0).at(0, 0, view.shape)
        allowed = view.sets != CLOUD if where is None else where
        share = np.where(allowed, np.clip(depth + np.float32(0.5), 0, 1), np.float32(0))
        if where is not None:
            share *= ramp(where, self.settings.feather / view.metres)
        done = yield from snow_steps(view, share, float(rng.random()))
        return done.told(self.bank.records[outline.spot.index].name)

    def snowfield(self, view: View, rng: Generator) -> View:
        """Snow or ice on what may be clear, of any kind, unless a cloud may be in the patch."""
        return snowfields.laid(view, snowfields.draw(self.bank, view, rng))

    def ground(self, view: View, rng: Generator) -> View:
        """Ground of another brightness and colour, unless a cloud may be in the patch."""
        largest = self.settings.ground_gain
        common = log_uniform((1 / largest, largest), rng)
        bands = np.exp(rng.uniform(-1, 1, len(view.roles)) * np.log(largest) / 3)
        if (view.sets & CLOUD).any():
            return view
        pixels = render.ground(view.pixels, view.light, common * bands)
        return replace(view, pixels=pixels).told(f"ground times {common:.2f}")

    def water(self, view: View, rng: Generator) -> View:
        """A lake or a coast in what may be clear, with the outline of a cloud; its label is clear.

        Most are nearly clear water; turbidity varies over it, and so do waves and glint.
        """
        cover, zoom = log_uniform((0.1, 0.9), rng), log_uniform((1.0, 4.0), rng)
        outline = lay(self.bank, "cloud", view.shape, view.metres, zoom, cover, rng)
        shore = outline.distance(0, 0, view.shape) / np.float32(snowfields.SHORE) + np.float32(0.5)
        bare = view.sets & CLEAR != 0
        share = np.where(bare, np.clip(shore, 0, 1), np.float32(0))
        level, change = float(rng.random()) ** 2, float(rng.uniform(0.02, 0.25))
        turbid = level + change * Texture(rng, 2.0).at(0, 0, view.shape)
        waves = float(rng.uniform(0.0003, 0.003)) * rng.standard_normal(view.shape, np.float32)
        glint = np.float32(rng.uniform(0, 0.012)) + waves
        pixels = render.water(view.pixels, view.roles, view.light, share, turbid, glint)
        sets = np.where(bare & (share >= COPIED_FROM), CLEAR, view.sets)
        return replace(view, pixels=pixels, sets=sets).told("water")

    def shadow(self, view: View, rng: Generator) -> Steps[View]:
        """The shadow of the clouds that the patch shows, from a height that is drawn."""
        thickness = seen_thickness(view.pixels, view.roles, view.sets == CLOUD)
        # as thick at most as the patch's thickest: that part is as deep as the layer
        layer = replace(draw_layer(self.settings, rng), peak=float(max(thickness.max(), 1.0)))
        own = SeenCloud(layer, view.metres, thickness)
        fill = float(rng.uniform(*self.settings.fill))
        done = yield from shadow_steps(view, [own], fill)
        return done.told(f"shadow from {layer.height:.0f} m")

    def copy(self, view: View, rng: Generator, code: np.uint16) -> View:
        """One class of the patch once more, moved along the sun's direction, to either side.

        A cloud takes its labelled shadow along.
        """
        step, done = self._step(view, rng), view
        if code == CLOUD and (view.sets == SHADOW).any():
            done = self._copied(view, done, SHADOW, step)
        done = self._copied(view, done, code, step)
        return done.told(f"moved by {step[0]:d}, {step[1]:d} pixels")

    def _step(self, view: View, rng: Generator) -> tuple[int, int]:
        """Whole pixels (down, right) along the sun's direction, at least one."""
        far = log_uniform(self.settings.shift, rng) * (1.0 if rng.random() < 0.5 else -1.0)
        azimuth = np.radians(view.geometry.sun_azimuth)
        east, north = far * float(np.sin(azimuth)), far * float(np.cos(azimuth))
        down, right = (round(part) for part in in_pixels((east, north), view.metres))
        return (down, right) if (down, right) != (0, 0) else (0, 1)

    def _copied(self, source: View, view: View, code: np.uint16, step: tuple[int, int]) -> View:
        """`view` with the pixels of a class of `source`, moved by a step."""
        mask = moved(source.sets == code, step, fill=False)
        share = ramp(mask, self.settings.feather / view.metres)
        there = np.stack([moved(band, step, fill=np.nan) for band in source.pixels])
        surely, perhaps = share >= COPIED_FROM, share > 0
        sets = placed(view.sets, code, surely, perhaps)
        share = np.where(sets != view.sets, share, 0)
        mixed = view.pixels + share * (there - view.pixels)
        # what the source lacks is no reason to lose what is here, and nodata stays nodata
        pixels = np.where((share > 0) & ~np.isnan(there), mixed, view.pixels)
        return replace(view, pixels=pixels.astype(np.float32), sets=sets)


def moved(array: NDArray[T], step: tuple[int, int], fill: object) -> NDArray[T]:
    """(rows, columns) moved by whole pixels (down, right); what comes in from outside is `fill`.

    >>> moved(np.array([[1, 2], [3, 4]]), (1, -1), fill=0).tolist()
    [[0, 0], [2, 0]]
    """
    result = np.full_like(array, fill)
    (down, right), (rows, columns) = step, array.shape
    into = np.s_[max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)]
    out = np.s_[max(-down, 0) : rows - max(down, 0), max(-right, 0) : columns - max(right, 0)]
    if abs(down) < rows and abs(right) < columns:
        result[into] = array[out]
    return result
