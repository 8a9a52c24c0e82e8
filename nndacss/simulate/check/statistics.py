"""Statistics of pixels and masks: plain functions of arrays, nothing about files or the twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Values = NDArray[Any]
Mask = NDArray[np.bool_]

#: Noise in the calmest tenth of 8 x 8 blocks over noise in all, for white noise: some are calm by
#: chance. From 4096 blocks of numpy's normal numbers; `test_check_statistics` repeats it.
_CALM = 0.73

#: Edge of the finest and coarsest block at which cloud edges are counted, pixels.
SCALES = (1, 2, 4, 8, 16, 32)


def spread(values: Values) -> tuple[float, float, float]:
    """5th percentile, median and 95th percentile; NaN where there are no values."""
    if not values.size:
        return (float("nan"),) * 3
    low, middle, high = np.percentile(values, (5, 50, 95))
    return float(low), float(middle), float(high)


def shared(first: Values, second: Values, bins: int = 40) -> float:
    """Share of two distributions that is common: 0 apart, 1 the same; NaN where one is empty.

    The common area of their histograms over the range of both, less a percent at each end.

    >>> shared(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    1.0
    """
    if not first.size or not second.size:
        return float("nan")
    both = [np.percentile(part, (1, 99)) for part in (first, second)]
    low, high = min(part[0] for part in both), max(part[1] for part in both)
    edges = np.linspace(low, high + 1e-9, bins + 1)
    heights = [
        np.histogram(np.clip(part, low, high), edges)[0] / part.size for part in (first, second)
    ]
    return float(np.minimum(*heights).sum())


@dataclass(frozen=True)
class Counts:
    """Pixels of one class: found and there, found but not there, there but not found."""

    hit: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hit + other.hit, self.false + other.false, self.missed + other.missed)

    @property
    def iou(self) -> float:
        """Intersection over union; NaN where the class is neither found nor there."""
        union = self.hit + self.false + self.missed
        return self.hit / union if union else float("nan")


def counted(found: Mask, there: Mask, where: Mask) -> Counts:
    """Counts over the pixels in `where`."""
    hit, false, missed = (
        int((part & where).sum()) for part in (found & there, found & ~there, ~found & there)
    )
    return Counts(hit, false, missed)


def best_threshold(values: Values, cloud: Mask) -> tuple[float, float]:
    """The threshold and IoU of the best rule `value >= threshold` for cloud, pixels pooled.

    Among a thousand thresholds, the quantiles of the values.

    >>> best_threshold(np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, True, False, True]))
    (0.2, 0.6666666666666666)
    """
    order = np.argsort(values, kind="stable")
    rising, truth = values[order], cloud[order]
    first = np.unique(np.searchsorted(rising, np.quantile(values, np.linspace(0, 1, 1001))))
    first = first[first < rising.size]
    below = np.concatenate([[0], np.cumsum(truth)])[first]
    there = int(truth.sum())
    hit, found = there - below, rising.size - first
    iou = hit / np.maximum(found + there - hit, 1)
    at = int(np.argmax(iou))
    return float(rising[first[at]]), float(iou[at])


def areas(mask: Mask, metres: float) -> NDArray[np.float64]:
    """Area of each connected object, km2 (neighbours share an edge)."""
    labels, _ = ndimage.label(mask)
    pixels = np.bincount(labels.ravel())[1:]
    return np.asarray(pixels * (metres * metres / 1e6), dtype=np.float64)


def half_area(sizes: Values) -> float:
    """Half of all cloud lies in objects of at least this size; NaN without objects."""
    if not sizes.size:
        return float("nan")
    falling = np.sort(sizes)[::-1]
    return float(falling[np.searchsorted(np.cumsum(falling), falling.sum() / 2)])


def coarser(mask: Mask, factor: int) -> Mask:
    """Blocks of `factor` pixels a side that are at least half cloud; a rest at the end is cut."""
    rows, columns = (size // factor for size in mask.shape)
    cut = mask[: rows * factor, : columns * factor]
    share = cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    return np.asarray(share >= 0.5)


def edge_density(mask: Mask, metres: float) -> float:
    """Kilometres of cloud edge per km2 of scene, along pixel sides."""
    steps = int((mask[1:] != mask[:-1]).sum()) + int((mask[:, 1:] != mask[:, :-1]).sum())
    return steps * metres / 1000 / (mask.size * metres * metres / 1e6)


def edges_by_scale(mask: Mask, metres: float) -> list[float]:
    """Edge density at pixels of 1, 2, 4 ... 32 times the size."""
    return [edge_density(coarser(mask, scale), metres * scale) for scale in SCALES]


def edge_dimension(densities: Sequence[float]) -> float:
    """Fractal dimension of the edge: 1 less the slope of log density over log scale.

    A straight edge is as long at any scale: dimension 1. From the five finest scales.

    >>> round(edge_dimension([8, 4, 2, 1, 0.5, 0.25]), 3)
    2.0
    """
    used = np.maximum(np.array(densities[:5]), 1e-12)
    slope = np.polyfit(np.log(SCALES[:5]), np.log(used), 1)[0]
    return float(1 - slope)


def likeness(mask: Mask, lag: int) -> float:
    """Correlation of a mask with itself `lag` pixels away, mean of both directions.

    NaN where all pixels are alike, or the mask is not that large.
    """
    parts = mask.astype(np.float32) - np.float32(mask.mean())
    spread_ = float((parts * parts).mean())
    if spread_ == 0 or lag >= min(mask.shape):
        return float("nan")
    across = float((parts[:, lag:] * parts[:, :-lag]).mean())
    down = float((parts[lag:] * parts[:-lag]).mean())
    return (across + down) / 2 / spread_


def noise(plane: Values) -> float:
    """Standard deviation of pixel noise, after Immerkaer (1996, CVIU 64, 300).

    The image is filtered with [1 -2 1] along rows and columns, which takes out all that is
    locally flat, sloped or bent one way; white noise of deviation s comes out with 6 s. Taken
    over the calmest tenth of 8 x 8 blocks, since texture is not noise (and put right for that
    choice by `_CALM`); an upper limit where nothing is calm. NaN below ten blocks or with missing
    pixels everywhere.
    """
    bent = np.diff(plane.astype(np.float64), n=2, axis=0)
    bent = np.diff(bent, n=2, axis=1)
    rows, columns = (size // 8 for size in bent.shape)
    blocks = bent[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2)
    power = np.sqrt((blocks**2).mean(axis=(2, 3))).ravel()
    power = np.sort(power[np.isfinite(power)])
    if power.size < 10:
        return float("nan")
    return float(power[: max(power.size // 10, 1)].mean() / 6 / _CALM)


def acutance(plane: Values) -> float:
    """Sharpness of edges: the middle step over the whole step, at the strongest edges.

    Over four pixels a, b, c, d in a row, |c - b| / |d - a|, the median over the strongest 2 %
    of |d - a| that are steepest in the middle. 1 for a step between two pixels, 1/3 for a ramp.
    """
    ratios = []
    for turned in (plane, plane.T):
        steps = np.abs(np.diff(turned, axis=1))
        whole = np.abs(turned[:, 3:] - turned[:, :-3])
        middle, before, after = steps[:, 1:-1], steps[:, :-2], steps[:, 2:]
        sides = np.maximum(before, after) * (1 - 1e-6)  # as steep counts, in spite of rounding
        fine = np.isfinite(whole) & (middle >= sides) & (whole > 0)
        if fine.any():
            strong = fine & (whole >= np.nanpercentile(whole, 98))
            ratios.append((middle[strong] / whole[strong]).ravel())
    values = np.concatenate(ratios) if ratios else np.zeros(0)
    return float(np.median(np.minimum(values, 1))) if values.size else float("nan")


def spectrum_slope(plane: Values) -> float:
    """Exponent of the power spectrum over spatial frequency, from 1/20 to 1/2.5 per pixel.

    A straight line through the log of the radial mean over log frequency, with a Hann window;
    0 for white noise, about -2 to -3 for land. NaN where pixels are missing.
    """
    if not np.isfinite(plane).all() or min(plane.shape) < 40:
        return float("nan")
    side = min(plane.shape)
    square = plane[:side, :side].astype(np.float64)
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((square - square.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    edges = np.geomspace(1 / 20, 1 / 2.5, 11)
    middles, means = [], []
    for low, high in pairwise(edges):
        ring = (frequency >= low) & (frequency < high)
        if ring.any() and power[ring].mean() > 0:
            middles.append(np.log((low * high) ** 0.5))
            means.append(np.log(power[ring].mean()))
    return float(np.polyfit(middles, means, 1)[0]) if len(means) > 3 else float("nan")


def middle(values: Iterable[float]) -> float:
    """Median of those that are numbers; NaN where none is."""
    kept = [value for value in values if np.isfinite(value)]
    return float(np.median(kept)) if kept else float("nan")
