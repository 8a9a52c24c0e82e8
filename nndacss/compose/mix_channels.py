"""Mixtures of the two images by bands, shares or single pixels, whatever they show.

The three variants of the published experiment. In all of them a share counts the *harmonized*
image: 0.1 is nine tenths Landsat.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from nndacss.compose.options import ComposeOptions, MixChannelsOptions
from nndacss.compose.views import Composed, Views
from nndacss.raster import Pixels


def mix_channels(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """The whole window mixed; without a generator, by the mean of what would be drawn."""
    how, shape = options.mix_channels, views.landsat.shape
    share = _mean(how, shape[0]) if rng is None else _drawn(how, shape, rng)
    # where a share is 1 or 0, the pixels are exactly those of one image
    mixed = views.landsat + share * (views.whole - views.landsat)
    pixels = np.where(share == 1, views.whole, mixed)
    return Composed(pixels, views.valid & (share < 1).any(axis=0))


def _drawn(how: MixChannelsOptions, shape: tuple[int, ...], rng: Generator) -> Pixels:
    """Shares of the harmonized image, one a band or one a pixel and band."""
    bands = shape[0]
    if how.kind == "linear":
        return rng.random((bands, 1, 1), dtype=np.float32)
    if how.kind == "pixel":
        return (rng.random(shape, dtype=np.float32) < how.ratio).astype(np.float32)
    share = np.ones((bands, 1, 1), dtype=np.float32)
    share[rng.choice(bands, int(rng.integers(1, how.most + 1)), replace=False)] = 0
    return share


def _mean(how: MixChannelsOptions, bands: int) -> Pixels:
    """The expectation of `_drawn`, the same for all bands."""
    means = {"linear": 0.5, "pixel": how.ratio, "original": 1 - (1 + how.most) / 2 / bands}
    return np.full((bands, 1, 1), means[how.kind], dtype=np.float32)


METHOD = mix_channels
