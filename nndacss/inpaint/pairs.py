"""Which shadow belongs to which cloud: steps from clouds to shadows in a labelled image.

Where the sun stands is known (the image says) or found: the step by which the clouds of an image
best fall onto its shadows. Then every single cloud is moved along that direction, a little to both
sides too, until it lies on a shadow of its own size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan2, degrees, radians

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of

Mask = NDArray[np.bool_]

#: Farthest shadow that is looked for, metres: a cloud 4 km high below a sun 30 degrees high.
FARTHEST = 7000.0
#: Nearest step, pixels: less is the cloud's own dark rim.
NEAREST = 3.0
#: Least agreement (correlation) of moved clouds with shadows that tells the sun of an image. Of 80
#: simulated chips (seeds 100 to 179) 38 reach it, and 33 of these tell the azimuth to 20 degrees.
AGREEMENT = 0.5
#: Pixels of cloud and of shadow without which an image tells nothing.
LEAST = 100
#: Degrees to both sides of the sun's direction in which a cloud's shadow is looked for: the
#: sensor's own parallax, which differs with the height of a cloud, and hand-drawn outlines.
ASIDE = 12.0
#: Least share of a moved cloud that is labelled shadow; by how much it must be more than that of a
#: ring around, or the cloud is but lost in the shadow of another; and bounds of shadow by cloud.
LANDED, STANDS_OUT, SIZES = 0.6, 0.4, (0.5, 2.0)
#: Pixels of a cloud and of its ring that are looked at, and clouds of an image, largest first.
_POINTS, _CLOUDS = 150, 20


@dataclass(frozen=True)
class Match:
    """One cloud with its shadow."""

    cloud: Mask
    """(rows, columns) of its window."""
    shadow: Mask
    step: tuple[int, int]
    """Pixels from cloud to shadow, (down, right)."""
    share: float
    """How much of the moved cloud is labelled shadow, where no cloud hides it, 0 to 1."""


def azimuth_of(step: tuple[float, float]) -> float:
    """Degrees clockwise from north of the sun that throws shadows by the step (down, right).

    >>> azimuth_of((-3.0, 0.0)), azimuth_of((0.0, -2.0))
    (180.0, 90.0)
    """
    # the sun stands opposite the shadow: north is up
    return degrees(atan2(-step[1], step[0])) % 360


def usual_step(sets: Sets, metres: float) -> tuple[int, int] | None:
    """The step (down, right) in pixels by which an image's clouds best fall on its shadows.

    None where there is too little of either, or none agrees. Labels that are one class only count;
    what a moved cloud covers beyond the image or under another cloud is not held against it. The
    sun is looked for in the east, azimuths 0 to 180: Landsat and Sentinel-2 pass in the morning.
    """
    cloud, shadow = sets == of(Climate.CLOUD), sets == of(Climate.SHADOW)
    if cloud.sum() < LEAST or shadow.sum() < LEAST:
        return None
    ground = (sets != 0) & ~cloud
    reach = int(min(FARTHEST / metres, max(sets.shape) - 1))
    shape = tuple(fft.next_fast_len(size + reach, real=True) for size in sets.shape)
    moved, whole, shade, seen = (
        fft.rfft2(field.astype(np.float32), shape)
        for field in (cloud, np.ones_like(cloud), shadow, ground)
    )
    # for each step: what of the ground lies below the moved image, and below its clouds
    both, below, dark, all_ = (
        np.rint(fft.irfft2(np.conj(one) * other, shape)).astype(np.float64)
        for one, other in ((moved, shade), (moved, seen), (whole, shade), (whole, seen))
    )
    spread = below * (all_ - below) * dark * (all_ - dark)
    agreement = (both * all_ - below * dark) / np.sqrt(np.maximum(spread, 1))
    down, right = (np.rint(fft.fftfreq(size, 1 / size)).astype(int) for size in shape)
    far = np.hypot(down[:, None], right)
    near = (far >= NEAREST) & (far <= reach) & (right <= 0)
    agreement[~near | (both < LEAST) | (all_ < ground.sum() / 2)] = 0
    best = np.unravel_index(int(agreement.argmax()), agreement.shape)
    if agreement[best] < AGREEMENT or right[best[1]] == 0:
        return None
    return int(down[best[0]]), int(right[best[1]])


def matches(
    sets: Sets, metres: float, azimuth: float, smallest: float, largest: float
) -> Iterator[Match]:
    """Clouds with their shadows, for a sun at `azimuth` degrees, in the order of the image.

    Only whole clouds, between `smallest` and `largest` square kilometres.
    """
    cloud, shadow = sets == of(Climate.CLOUD), sets == of(Climate.SHADOW)
    if not (cloud.any() and shadow.any()):
        return
    ground = (sets != 0) & ~cloud
    steps = wedge(azimuth, FARTHEST / metres)
    numbered, count = ndimage.label(cloud)
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    chosen = sorted(np.argsort(-sizes, kind="stable")[:_CLOUDS].tolist())
    boxes = ndimage.find_objects(numbered)
    for index in chosen:
        at_border = any(
            side.start == 0 or side.stop == size
            for side, size in zip(boxes[index], sets.shape, strict=True)
        )
        if at_border or not smallest <= sizes[index] * metres**2 / 1e6 <= largest:
            continue
        own = numbered == index + 1
        found = _best(own, steps, shadow, ground)
        match = None if found is None else _cut(own, shadow, *found)
        if match is not None:
            yield match


def wedge(azimuth: float, reach: float) -> NDArray[np.intp]:
    """(steps, 2) whole steps (down, right) away from a sun, nearest first."""
    size = int(reach)
    down, right = np.mgrid[-size : size + 1, -size : size + 1].reshape(2, -1)
    far = np.hypot(down, right)
    away = radians(azimuth)
    # the shadow's direction is -(sin, cos) to the east and north; rows point south
    along = down * np.cos(away) - right * np.sin(away)
    chosen = (far >= NEAREST) & (far <= size) & (along >= far * np.cos(radians(ASIDE)))
    steps = np.stack([down[chosen], right[chosen]], axis=1)
    return steps[np.lexsort((steps[:, 1], steps[:, 0], far[chosen].round(6)))]


def _best(
    cloud: Mask, steps: NDArray[np.intp], shadow: Mask, ground: Mask
) -> tuple[tuple[int, int], float] | None:
    """The step by which a cloud lies on a shadow of its own, with its share; None without any."""
    ring = ndimage.binary_dilation(cloud, iterations=5)
    ring &= ~ndimage.binary_dilation(cloud, iterations=2)
    inside, landed = _shares(cloud, steps, shadow, ground)
    around, _ = _shares(ring, steps, shadow, ground)
    # at least half of the moved cloud must be seen on the ground at all
    stands_out = np.where((landed >= 0.5) & (inside >= LANDED), inside - around, -1)
    best = int(stands_out.argmax())
    if stands_out[best] < STANDS_OUT:
        return None
    return (int(steps[best, 0]), int(steps[best, 1])), float(inside[best])


def _shares(
    mask: Mask, steps: NDArray[np.intp], shadow: Mask, ground: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(steps,) how much of what lies on the ground is shadow, and how much lies there at all."""
    rows, columns = (along[:: max(1, along.size // _POINTS)] for along in np.nonzero(mask))
    rows, columns = rows + steps[:, :1], columns + steps[:, 1:]
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    rows, columns = np.where(inside, rows, 0), np.where(inside, columns, 0)
    landed = (ground[rows, columns] & inside).sum(axis=1)
    hits = (shadow[rows, columns] & inside).sum(axis=1)
    return hits / np.maximum(landed, 1), landed / rows.shape[1]


def _cut(cloud: Mask, shadow: Mask, step: tuple[int, int], share: float) -> Match | None:
    """Cloud and its part of the shadows in one window; None where their sizes do not fit."""
    moved = ndimage.shift(cloud.astype(np.uint8), step, order=0) > 0
    near = ndimage.binary_dilation(moved, iterations=3)
    own = shadow & near
    ratio = own.sum() / max(int(cloud.sum()), 1)
    if not SIZES[0] <= ratio <= SIZES[1]:
        return None
    rows, columns = np.nonzero(cloud | own)
    margin = 4
    window = tuple(
        slice(max(0, int(along.min()) - margin), int(along.max()) + margin + 1)
        for along in (rows, columns)
    )
    return Match(cloud[window], own[window], step, share)
