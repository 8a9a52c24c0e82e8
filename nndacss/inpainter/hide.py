"""Which pixels of a labelled image are hidden: arrays in, arrays out.

All chance comes from the generator that is passed in.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.inpainter.settings import AugmentSettings, HideSettings
from nndacss.labels.sets import Sets, of
from nndacss.raster import Pixels
from nndacss.train.augment import turn

Mask = NDArray[np.bool_]


def certain(sets: Sets, code: int) -> Mask:
    """(rows, columns) where a pixel is the class `code` and can be nothing else."""
    return np.asarray(sets == np.uint16(of(code)))


def widened(mask: Mask, pixels: int) -> Mask:
    """The mask and all within `pixels` rows and columns of it.

    >>> widened(np.eye(3, dtype=bool), 1).all()
    np.True_
    """
    result = mask
    for axis in (0, 1):
        grown = result.copy()
        for step in range(1, min(pixels, mask.shape[axis] - 1) + 1):
            ahead, behind = np.swapaxes(grown, 0, axis), np.swapaxes(result, 0, axis)
            ahead[step:] |= behind[:-step]
            ahead[:-step] |= behind[step:]
        result = grown
    return result


def over(structure: Mask, crop: int, rng: Generator) -> tuple[slice, slice]:
    """Rows and columns of a window of `crop` pixels a side that holds a pixel of the structure.

    That pixel is drawn first, then its place in the window; the window lies inside the image.
    """
    pixel = int(rng.integers(np.count_nonzero(structure)))
    places = np.unravel_index(int(np.flatnonzero(structure)[pixel]), structure.shape)
    spans = []
    for place, size in zip(places, structure.shape, strict=True):
        first = int(np.clip(int(place) - int(rng.integers(crop)), 0, size - crop))
        spans.append(slice(first, first + crop))
    return spans[0], spans[1]


def one_side(mask: Mask, share: float, angle: float) -> Mask:
    """The part of a mask, `share` of its pixels, that lies farthest in one direction.

    `angle` is of that direction, in radians from the columns' towards the rows'.
    """
    rows, columns = np.nonzero(mask)
    count = round(share * len(rows))
    distance = rows * np.sin(angle) + columns * np.cos(angle)
    chosen = np.argsort(distance, kind="stable")[len(rows) - count :]
    result = np.zeros_like(mask)
    result[rows[chosen], columns[chosen]] = True
    return result


def hole(structure: Mask, settings: HideSettings, rng: Generator) -> Mask:
    """What to hide of an image with that structure, (rows, columns): all of it, or one side.

    At most `settings.largest` of the image.
    """
    whole = widened(structure, settings.margin)
    part, share, angle = rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0, 2 * np.pi)
    wanted = share if part < settings.part_chance else 1.0
    return _limited(whole, wanted, settings.largest, angle)


def usual_hole(structure: Mask, settings: HideSettings) -> Mask:
    """The hole without chance: all of the structure, or as much as may be hidden, from the left."""
    return _limited(widened(structure, settings.margin), 1.0, settings.largest, np.pi)


def _limited(mask: Mask, wanted: float, largest: float, angle: float) -> Mask:
    most = largest * mask.size / max(1, int(np.count_nonzero(mask)))
    share = min(wanted, most)
    return mask if share >= 1 else one_side(mask, share, angle)


def varied(
    pixels: Pixels, mask: Mask, settings: AugmentSettings, rng: Generator
) -> tuple[Pixels, Mask]:
    """A window turned, brightened and with bands left out (NaN); contiguous copies."""
    bands = len(pixels)
    if settings.flip:
        which = int(rng.integers(8))
        pixels, mask = turn(pixels, which), turn(mask, which)
    gain = 1 + rng.uniform(-settings.gain, settings.gain, bands)
    gain *= 1 + rng.uniform(-settings.brightness, settings.brightness)
    result = pixels * gain.astype(np.float32)[:, None, None]
    if rng.random() < settings.drop_chance and bands > 1:
        out = rng.permutation(bands)[: int(rng.integers(1, bands // 2 + 1))]
        result[out] = np.nan
    return np.ascontiguousarray(result), np.ascontiguousarray(mask)
