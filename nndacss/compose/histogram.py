"""Histogram matching: band by band, the harmonized image with Landsat's distribution of values.

A value becomes the one of Landsat that as many pixels fall below (Gonzalez and Woods, Digital Image
Processing, section 3.3). The values of valid pixels of the classes `over` decide; equal values
stay equal, and values beyond those that decided move as far as the last of them, so that bright
clouds are not cut off. The result is blended with the harmonized image.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Composed, Views
from nndacss.raster import Pixels


def histogram(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """The whole window matched; with a generator, blended by a share that is drawn.

    Without a single pixel of the classes that decide, the harmonized image as it is.
    """
    how = options.histogram
    blend = how.blend if rng is None else float(rng.uniform(*how.blend_limits))
    decide = views.of(how.over)
    pixels = views.whole.copy()
    if not decide.any():
        return Composed(pixels, np.zeros_like(views.valid))
    for plane, landsat in zip(pixels, views.landsat, strict=True):
        own, wanted = curve(plane[decide], landsat[decide])
        values = plane[views.valid]
        plane[views.valid] = values + np.float32(blend) * (through(values, own, wanted) - values)
    return Composed(pixels, views.valid.copy())


def curve(values: Pixels, reference: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct `values`, ascending, and what each becomes so that all are spread as `reference`.

    >>> [part.tolist() for part in curve(np.float32([0, 0, 1, 2]), np.float32([5, 6, 7, 8]))]
    [[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]]
    """
    own, own_count = np.unique(values, return_counts=True)
    other, other_count = np.unique(reference, return_counts=True)
    share, other_share = (np.cumsum(n) / n.sum() for n in (own_count, other_count))
    wanted: NDArray[np.float64] = np.interp(share, other_share, other)
    return own.astype(np.float64), wanted


def through(values: Pixels, own: NDArray[np.float64], wanted: NDArray[np.float64]) -> Pixels:
    """`values` along a curve; beyond its ends they move as far as its ends do."""
    order = np.argsort(values)
    ascending = values[order]  # many times faster to look up than as they come
    moved = np.empty_like(values)
    beyond = ascending - np.clip(ascending, own[0], own[-1])
    moved[order] = np.interp(ascending, own, wanted) + beyond
    return moved


METHOD = histogram
