"""The painter: real outlines of clouds, their shadows and snow, into one labelled image.

Order of precedence everywhere: cloud over shadow over snow over clear. Labels are sets, and a
painted class replaces what it hides; it is never added to it:

- snow: "clear" becomes "snow"; what may be shadow may still be;
- shadow: whatever is below the clouds is shadow, also where nobody had said;
- cloud: cloud. What was labelled cloud stays cloud.

Where a cloud or shadow is so faint that two people would label it differently, both classes are
right: the set holds the painted class and what was there. Unlabelled pixels stay unlabelled.
Pixels labelled as cloud or shadow take no further shadow: the sun does not reach that ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain
from nndacss.inpaint import render
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.options import PaintSettings
from nndacss.inpaint.shapes import Cloud, lay
from nndacss.inpaint.texture import Texture
from nndacss.inpaint.weather import draw_geometry, draw_layer, log_uniform
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of
from nndacss.raster import Pixels
from nndacss.simulate.atmosphere import cloud_reflectance

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

CLEAR, SHADOW, SNOW, CLOUD = (
    np.uint16(of(code)) for code in (Climate.CLEAR, Climate.SHADOW, Climate.SNOW, Climate.CLOUD)
)
GROUND = CLEAR | SHADOW | SNOW
#: A cloud that hides this share of the ground is one, and may be from the smaller share on. What
#: L8 Biome's analysts marked as thin cloud over dark ground (four of the `train` chips) is brighter
#: in red by 0.02 to 0.06 (lowest twentieth) and 0.03 to 0.07 (lowest quarter).
CLOUD_FROM, CLOUD_MAYBE = 0.05, 0.02
#: Ground that loses this share of the sun's light is in shadow, and may be from the smaller on.
SHADOW_FROM, SHADOW_MAYBE = 0.2, 0.06
#: Snow cover of a pixel that is snow, and that may be.
SNOW_FROM, SNOW_MAYBE = 0.6, 0.2
#: Largest change of reflectance in any band that cannot be seen: whatever is painted, both may be.
INVISIBLE = 0.006
#: A patch with less ground than this share of its pixels is left as it is.
LEAST_GROUND = 0.05


@dataclass(frozen=True)
class Painter:
    """Paints with the outlines of one bank."""

    bank: MaskBank
    settings: PaintSettings

    def paint(
        self,
        pixels: Pixels,
        sets: Sets,
        roles: tuple[str, ...],
        metres: float,
        sun: tuple[float, float] | None,
        rng: Generator,
        level: str = "TOA",
    ) -> tuple[Pixels, Sets]:
        """Painted copies of (bands, rows, columns) reflectance and (rows, columns) label sets.

        `pixels` is NaN where missing, and stays so; `metres` is their size; `sun` its elevation
        and azimuth in degrees, drawn where it is None. North is up, so paint before an image is
        turned. An image without ground (all cloud, or unlabelled) comes back as it is. The same
        state of `rng` gives the same image. DatasetError for label sets of other classes.
        """
        checked(pixels, sets, roles)
        ground = (sets & GROUND != 0) & ~np.isnan(pixels).all(axis=0)
        if ground.mean() < LEAST_GROUND:
            return pixels.copy(), sets.copy()
        geometry = draw_geometry(sun, self.settings, rng)
        light = render.light(pixels, roles, level, geometry.sun_elevation)
        if rng.random() < self.settings.snow_chance:
            pixels, sets = self._snowed(pixels, sets, roles, metres, light, rng)
        clouds = [self._cloud(sets.shape, metres, rng)]
        if rng.random() < self.settings.second_chance:
            clouds.append(self._cloud(sets.shape, metres, rng))
        fill = float(rng.uniform(*render.FILL))
        return overcast(pixels, sets, roles, light, geometry, clouds, fill)

    def _cloud(self, shape: tuple[int, ...], metres: float, rng: Generator) -> Cloud:
        layer = draw_layer(self.settings, rng)
        cover, size = log_uniform(self.settings.cover, rng), (shape[0], shape[1])
        outline = lay(self.bank, "cloud", size, metres, layer.zoom, cover, rng)
        return Cloud(layer, outline, Texture(rng, layer.grain, layer.stretch), metres)

    def _snowed(
        self,
        pixels: Pixels,
        sets: Sets,
        roles: tuple[str, ...],
        metres: float,
        light: render.Light,
        rng: Generator,
    ) -> tuple[Pixels, Sets]:
        shape = (sets.shape[0], sets.shape[1])
        cover, zoom = log_uniform(self.settings.cover, rng), log_uniform(self.settings.zoom, rng)
        outline = lay(self.bank, "snow", shape, metres, zoom, cover, rng)
        soft = 1 / log_uniform((40.0, 400.0), rng)
        depth = outline.distance(0, 0, shape) * np.float32(soft)
        depth += np.float32(0.5) * Texture(rng, 1.0).at(0, 0, shape)
        share = np.where(sets == CLOUD, np.float32(0), np.clip(depth + np.float32(0.5), 0, 1))
        result = render.snow(pixels, roles, light, share, float(rng.random()))
        return result, snowed(sets, share)


def overcast(
    pixels: Pixels,
    sets: Sets,
    roles: tuple[str, ...],
    light: render.Light,
    geometry: Geometry,
    clouds: Sequence[Cloud],
    fill: float,
) -> tuple[Pixels, Sets]:
    """Image and sets below some clouds: first the shadows of all, then the clouds, lowest first.

    `fill` is the share of the lost light that neighbours throw into the shadows, 0 to 1.
    """
    shape = (sets.shape[0], sets.shape[1])
    slant = np.zeros(shape, np.float32)
    for cloud in clouds:
        slant += cloud.slant(geometry, shape)
    slant[(sets & CLOUD != 0) | (sets == SHADOW)] = 0
    straight, scattered = render.sunlight(slant, fill)
    result = render.shadow(pixels, roles, light, straight, scattered)
    labels = shadowed(sets, 1 - straight - scattered, change(pixels, result))
    for cloud in sorted(clouds, key=lambda one: one.layer.height):
        thickness = cloud.thickness(0, 0, shape)
        shade = cloud.shade(thickness, geometry)
        below = result
        result = render.cloud(below, roles, light, cloud.layer, thickness, shade)
        labels = clouded(labels, cloud_reflectance(thickness), change(below, result))
    return result, labels


def checked(pixels: Pixels, sets: Sets, roles: tuple[str, ...]) -> None:
    """DatasetError unless image and labels fit each other and hold climate classes only."""
    if pixels.shape != (len(roles), *sets.shape):
        found = f"pixels {pixels.shape} for {len(roles)} bands and labels {sets.shape}"
        remedy = "image and label must be of one size"
        raise DatasetError(complain("painter", found, "(bands, rows, columns)", remedy))
    if sets.size and int(sets.max()) > GROUND | CLOUD:
        found = f"label set {int(sets.max())}"
        expected = "sets of clear, shadow, snow and cloud, 0 to 15"
        raise DatasetError(complain("painter", found, expected, "map the codes first"))


def change(before: Pixels, after: Pixels) -> Field:
    """(rows, columns) largest change of reflectance in any band; 0 where nothing is seen."""
    apart = np.abs(after - before)
    result: Field = np.where(np.isnan(apart), 0, apart).max(axis=0)
    return result


def snowed(sets: Sets, cover: Field) -> Sets:
    """`sets` with snow where `cover` (rows, columns), 0 to 1, is enough of it."""
    bare = sets & CLEAR != 0
    certain = np.where(bare, sets & ~CLEAR | SNOW, sets)
    possible = np.where(bare, sets | SNOW, sets)
    return np.select([cover >= SNOW_FROM, cover >= SNOW_MAYBE], [certain, possible], sets)


def shadowed(sets: Sets, lost: Field, seen: Field) -> Sets:
    """`sets` with shadow where enough of the sun's light is `lost`; `seen` is by how much.

    Both (rows, columns), 0 to 1 and in reflectance.
    """
    ground = sets & GROUND != 0
    certain = np.where(ground, sets & CLOUD | SHADOW, sets)
    possible = np.where(ground, sets | SHADOW, sets)
    sure = (lost >= SHADOW_FROM) & (seen >= INVISIBLE)
    return np.select([sure, lost >= SHADOW_MAYBE], [certain, possible], sets)


def clouded(sets: Sets, share: Field, seen: Field) -> Sets:
    """`sets` with cloud where it hides enough: `share`; `seen` is by how much the image changed.

    Both (rows, columns), 0 to 1 and in reflectance.
    """
    labelled = sets != 0
    certain = np.where(labelled, CLOUD, sets)
    possible = np.where(labelled, sets | CLOUD, sets)
    sure = (share >= CLOUD_FROM) & (seen >= INVISIBLE)
    return np.select([sure, share >= CLOUD_MAYBE], [certain, possible], sets)
