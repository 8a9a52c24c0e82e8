"""Snow and ice all over a patch, which labelled images hardly show: plains, floes, woods, lakes.

Without short-wave infrared, snow is told from cloud by what it lies on and how it looks:

    plain   all snow, flat and even as an ice sheet or in drifts
    floes   sea ice, broken over open water
    woods   snow between what stands on the land, whose pattern stays
    lake    ice inside the shore of open water, often grey; the land around stays as it is

Grains make the infrared. Old snow is dull and coarse, since dull and fine would be the colour of a
dull cloud; only the ice of lakes may be dull with any grains. The sun is as low as it is where
snow lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.inpaint import render
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.precedence import CLEAR, CLOUD, snowed
from nndacss.inpaint.shapes import lay
from nndacss.inpaint.steps import View
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import log_uniform

Field = NDArray[np.float32]

#: Kind -> how often it is drawn.
KINDS = {"plain": 0.4, "floes": 0.15, "woods": 0.2, "lake": 0.25}
#: Diameters of snow's grains, millimetres, from wind-packed polar snow to melting snow (Wiscombe
#: and Warren 1980, J. Atmos. Sci. 37).
GRAINS = (0.08, 1.5)
#: Elevations of the sun over it, degrees: polar and winter.
SUN = (7.0, 40.0)
#: Metres over which water and ice give way to what is beside them.
SHORE = 40.0


@dataclass(frozen=True)
class Snowfield:
    """What was drawn for one patch; fields are (rows, columns)."""

    kind: str
    sun: float
    """Elevation, degrees."""
    grain: float
    """Diameter, millimetres."""
    age: float
    """From 0, fresh, to 1, old."""
    relief: float
    """Power of the ground's texture that is left."""
    turbid: float
    """Of water, from 0, clear, to 1."""
    bright: Field
    """Factor on the snow's light."""
    water: Field
    """Share of open water below the snow."""
    cover: Field
    """Share of snow."""


def draw(bank: MaskBank, view: View, rng: Generator) -> Snowfield:
    """Any kind of snowfield; how much chance it takes depends on the patch's size alone."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    grain, relief = log_uniform(GRAINS, rng), float(rng.random()) ** 2
    coarse = float(np.log(grain / GRAINS[0]) / np.log(GRAINS[1] / GRAINS[0]))
    age, sun, turbid = coarse * float(rng.random()), float(rng.uniform(*SUN)), rng.random() ** 3
    drifts = log_uniform((0.002, 0.05), rng) * Texture(rng, 1.0).at(0, 0, view.shape)
    speckle = log_uniform((0.0005, 0.005), rng) * rng.standard_normal(view.shape, np.float32)
    bright = np.float32(rng.uniform(0.85, 1.1)) * (1 + drifts + speckle)
    water, cover = np.zeros(view.shape, np.float32), np.ones(view.shape, np.float32)
    if kind == "floes":
        water = np.ones(view.shape, np.float32)
        cover = _floes(bank, view, rng)
    elif kind == "woods":
        cover = _woods(view, rng)
    elif kind == "lake":
        water, cover = _lake(bank, view, rng)
        blotches = rng.uniform(0.02, 0.15) * Texture(rng, 1.0).at(0, 0, view.shape)
        bright = bright * (rng.uniform(0.5, 1.0) + blotches)
        age = max(age, float(rng.random()))
    bright = np.clip(bright, 0.2, 1.2).astype(np.float32)
    return Snowfield(kind, sun, grain, age, relief, float(turbid), bright, water, cover)


def laid(view: View, field: Snowfield) -> View:
    """`view` with the snowfield on what may be clear; as it is where a cloud may be in it."""
    if (view.sets & CLOUD).any():
        return view
    bare = np.where(view.sets & CLEAR != 0, np.float32(1), np.float32(0))
    water, cover = field.water * bare, field.cover * bare
    light = render.under_sun(view.light, view.geometry.sun_elevation, field.sun)
    turbid, calm = np.full(view.shape, field.turbid, np.float32), np.zeros(view.shape, np.float32)
    below = render.water(view.pixels, view.roles, light, water, turbid, calm)
    white = render.snow(
        below,
        view.roles,
        light,
        np.ones(view.shape, np.float32),
        field.age,
        grain=field.grain,
        relief=field.relief,
    )
    pixels = (below + cover * (white * field.bright - below)).astype(np.float32)
    geometry = replace(view.geometry, sun_elevation=field.sun)
    sets = snowed(np.where(water >= 0.5, CLEAR, view.sets), cover)
    done = replace(view, pixels=pixels, sets=sets, light=light, geometry=geometry)
    return done.told(f"snow: {field.kind}")


def _floes(bank: MaskBank, view: View, rng: Generator) -> Field:
    """Cover of sea ice: pieces with firm edges, some of them thin."""
    size, zoom = log_uniform((0.3, 0.95), rng), log_uniform((0.5, 4.0), rng)
    outline = lay(bank, "cloud", view.shape, view.metres, zoom, size, rng)
    thin = float(rng.uniform(0.0, 0.3)) * np.abs(Texture(rng, 1.0).at(0, 0, view.shape))
    inside = outline.distance(0, 0, view.shape) / np.float32(SHORE) + np.float32(0.5)
    cover: Field = np.clip(inside, 0, 1) * np.clip(1 - thin, 0, 1)
    return cover.astype(np.float32)


def _woods(view: View, rng: Generator) -> Field:
    """Cover of snow on land: more where the ground is brighter in red, thus opener."""
    mean, steep = float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.1, 0.4))
    stands = float(rng.uniform(0.0, 0.08)) * Texture(rng, 1.0).at(0, 0, view.shape)
    # not noise from pixel to pixel, which would give painted woods away
    crowns = ndimage.gaussian_filter(rng.standard_normal(view.shape), rng.uniform(0.6, 1.5))
    trees = float(rng.uniform(0.0, 0.05)) / float(crowns.std()) * crowns
    red = view.pixels[view.roles.index("red")] if "red" in view.roles else view.pixels[0]
    seen = red[~np.isnan(red)]
    low, middle, high = np.percentile(seen, (10, 50, 90)) if seen.size else (0.0, 0.0, 1.0)
    opener = np.clip((red - middle) / max(float(high - low), 0.005), -1.5, 1.5)
    opener = np.where(np.isnan(red), 0, opener)
    cover: Field = np.clip(mean + steep * opener + stands + trees, 0, 1).astype(np.float32)
    return cover


def _lake(bank: MaskBank, view: View, rng: Generator) -> tuple[Field, Field]:
    """Shares of water and of the ice on it, which keeps off the shore a little or far."""
    size, zoom = log_uniform((0.1, 0.9), rng), log_uniform((1.0, 4.0), rng)
    outline = lay(bank, "cloud", view.shape, view.metres, zoom, size, rng)
    inside = outline.distance(0, 0, view.shape)
    gap = log_uniform((10.0, 400.0), rng)
    patchy = SHORE * rng.uniform(0, 3) * Texture(rng, 1.0).at(0, 0, view.shape)
    water = np.clip(inside / SHORE + 0.5, 0, 1).astype(np.float32)
    cover = np.clip((inside - gap + patchy) / SHORE + 0.5, 0, 1).astype(np.float32)
    return water, cover * water
