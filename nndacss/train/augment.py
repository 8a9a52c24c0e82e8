"""Variations of a sample, in reflectance: what another place, day or sensor might have shown.

All chance comes from the generator that is passed in; `augment` is one call of the steps below.
Each step is cheap: a copy, one multiplication and addition a pixel for all radiometry together.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.labels.sets import Sets
from nndacss.raster import Pixels
from nndacss.train.settings import AugmentSettings

#: Centre wavelengths in micrometres, Landsat-8 OLI (USGS Landsat 8 data users handbook).
WAVELENGTH = {
    "coastal": 0.443, "blue": 0.482, "green": 0.561, "red": 0.655, "nir": 0.842, "nir08": 0.865,
    "swir16": 1.609, "swir22": 2.201,
    # bands that OLI lacks: Sentinel-2A MSI (nndacss.sensors.sentinel2_msi)
    "rededge071": 0.704, "rededge075": 0.741, "rededge078": 0.783, "nir09": 0.945,
}  # fmt: skip
VISIBLE = ("coastal", "blue", "green", "red")
SHORT_WAVE = ("swir16", "swir22")
#: Width over height of a random resized crop, as torchvision's RandomResizedCrop has it.
ASPECT = (3 / 4, 4 / 3)

T = TypeVar("T", bound=np.generic)


def augment(
    pixels: Pixels,
    sets: Sets,
    roles: tuple[str, ...],
    crop: int,
    settings: AugmentSettings,
    rng: Generator,
) -> tuple[Pixels, Sets]:
    """One variation of (bands, rows, columns) reflectance and its (..., rows, columns) sets.

    Several planes of `sets` go where the pixels go, e.g. sets and how sure they are. Both results
    are contiguous copies of side `crop`; NaN marks what is missing or was dropped.
    """
    if settings.resized is None:
        pixels, sets = window(pixels, sets, crop, _zoom(settings, rng), rng)
    else:
        pixels, sets = resized_crop(pixels, sets, crop, settings.resized, rng)
    if settings.flip:
        which = int(rng.integers(8))
        pixels, sets = turn(pixels, which), turn(sets, which)
    gain, offset = radiometry(roles, settings, rng)
    pixels = pixels * gain[:, None, None] + offset[:, None, None]
    if rng.random() < settings.noise_chance:
        sigma = np.float32(rng.uniform(0, settings.noise))
        pixels += sigma * rng.standard_normal(pixels.shape, dtype=np.float32)
    if rng.random() < settings.saturate_chance:
        np.minimum(pixels, saturation(roles, settings, rng), out=pixels)
    pixels[dropped(roles, settings, rng)] = np.nan
    if rng.random() < settings.wedge_chance:
        away = wedge(crop, settings.wedge, rng)
        pixels[:, away] = np.nan
        sets = np.where(away, np.uint16(0), sets)
    return pixels, np.ascontiguousarray(sets)


def _zoom(settings: AugmentSettings, rng: Generator) -> float:
    low, high = np.log(settings.zoom)
    chosen = rng.random() < settings.zoom_chance
    return float(np.exp(rng.uniform(low, high))) if chosen else 1.0


def window(
    pixels: Pixels, sets: Sets, crop: int, zoom: float, rng: Generator
) -> tuple[Pixels, Sets]:
    """A window of `crop / zoom` pixels (never more than there are), brought to side `crop`.

    Pixels are interpolated bilinearly between pixel centres, and missing where one of the four
    is; labels are taken from the nearest pixel.
    """
    side = min(round(crop / zoom), *sets.shape[-2:])
    return _cut(pixels, sets, (side, side), crop, rng)


def resized_crop(
    pixels: Pixels, sets: Sets, crop: int, area: tuple[float, float], rng: Generator
) -> tuple[Pixels, Sets]:
    """A window of a share `area` of the sample, 3:4 to 4:3, brought to a square of side `crop`.

    As torchvision's RandomResizedCrop, but that a side which would not fit is cut to the
    sample's.
    """
    rows, columns = sets.shape[-2:]
    count = rng.uniform(*area) * rows * columns
    aspect = np.exp(rng.uniform(*np.log(ASPECT)))
    height = min(max(2, round(np.sqrt(count / aspect))), rows)
    width = min(max(2, round(np.sqrt(count * aspect))), columns)
    return _cut(pixels, sets, (height, width), crop, rng)


def _cut(
    pixels: Pixels, sets: Sets, size: tuple[int, int], crop: int, rng: Generator
) -> tuple[Pixels, Sets]:
    """A window of `size` anywhere in the sample, as a square of side `crop`."""
    height, width = size
    top = int(rng.integers(sets.shape[-2] - height + 1))
    left = int(rng.integers(sets.shape[-1] - width + 1))
    pixels = pixels[:, top : top + height, left : left + width]
    sets = sets[..., top : top + height, left : left + width]
    if size == (crop, crop):
        return pixels, sets
    low, share = _between(height, crop)
    rows = pixels[:, low] * (1 - share)[:, None] + pixels[:, low + 1] * share[:, None]
    low, share = _between(width, crop)
    resized = rows[:, :, low] * (1 - share) + rows[:, :, low + 1] * share
    down, across = (((np.arange(crop) + 0.5) * n / crop).astype(np.intp) for n in size)
    return resized.astype(np.float32, copy=False), sets[..., down[:, None], across]


def _between(size: int, crop: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Per pixel of the result the lower of its two neighbours, and the upper one's share."""
    centres = np.clip((np.arange(crop) + 0.5) * size / crop - 0.5, 0, size - 1)
    low = np.minimum(centres.astype(np.intp), size - 2)
    return low, (centres - low).astype(np.float32)


def turn(array: NDArray[T], which: int) -> NDArray[T]:
    """One of the eight symmetries of the square: `which % 4` quarter turns, mirrored from 4 on.

    Of (..., side, side); a view.
    """
    mirrored = array[..., ::-1] if which >= 4 else array
    return np.rot90(mirrored, which % 4, axes=(-2, -1))


def radiometry(
    roles: tuple[str, ...], settings: AugmentSettings, rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and offset a band: brightness, calibration and haze, drawn once for the sample."""
    bands = len(roles)
    gain = 1 + rng.uniform(-settings.gain, settings.gain, bands)
    gain *= 1 + rng.uniform(-settings.brightness, settings.brightness)
    offset = rng.uniform(-settings.offset, settings.offset, bands)
    if rng.random() < settings.haze_chance:
        depth = rng.uniform(0, settings.haze)
        power = rng.uniform(0.5, 3.0)
        ratio = np.array([WAVELENGTH[role] / WAVELENGTH["blue"] for role in roles])
        path = depth * ratio**-power
        gain, offset = gain * (1 - path), offset * (1 - path) + path
    return gain.astype(np.float32), offset.astype(np.float32)


def saturation(
    roles: tuple[str, ...], settings: AugmentSettings, rng: Generator
) -> NDArray[np.float32]:
    """(bands, 1, 1) where each band ends; infinite where it does not."""
    # nothing more is drawn for what is not asked for: older recipes see what they saw
    if settings.saturate_apart and rng.random() < settings.saturate_apart:
        levels = rng.uniform(*settings.saturate, len(roles))
        ends = (rng.random(len(roles)) < 0.5) & [role in VISIBLE for role in roles]
        levels[~ends] = np.inf
    else:
        levels = np.full(len(roles), rng.uniform(*settings.saturate))
    return levels.astype(np.float32)[:, None, None]


def dropped(roles: tuple[str, ...], settings: AugmentSettings, rng: Generator) -> NDArray[np.bool_]:
    """(bands,) which bands to leave out: none, some of the short-wave ones, or `nir08` as well."""
    chance, choice = rng.random(), int(rng.integers(3))
    out: tuple[str, ...] = ()
    if chance < settings.drop_nir_chance:
        out = (*SHORT_WAVE, "nir08")
    elif chance < settings.drop_nir_chance + settings.drop_chance:
        out = (SHORT_WAVE[:1], SHORT_WAVE[1:], SHORT_WAVE)[choice]
    elif chance < settings.drop_nir_chance + settings.drop_chance + settings.drop_swir_chance:
        out = SHORT_WAVE
    return np.array([role in out for role in roles])


def wedge(side: int, largest: float, rng: Generator) -> NDArray[np.bool_]:
    """(side, side) True on the far side of a slanted line near the border."""
    angle = rng.uniform(0, 2 * np.pi)
    # a line through the square's centre has distance 0, one at its border about 1
    distance = 1 - rng.uniform(0, largest)
    axis = (2 * np.arange(side) + 1) / side - 1
    return np.asarray(axis[:, None] * np.sin(angle) + axis * np.cos(angle) > distance)
