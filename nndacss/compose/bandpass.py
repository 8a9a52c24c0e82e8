"""Landsat brought to Sentinel-2's bands by published coefficients, band by band, and no more.

What stands in for the harmonized image where there is none (see `views.Views.whole`), everywhere:
what adaptation brings without a network, and without its detail.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Composed, Views


def bandpass(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """Landsat's pixels, adjusted; nothing is set and nothing drawn."""
    del options, rng
    nothing = np.full_like(views.harmonized, np.nan)
    return Composed(replace(views, harmonized=nothing).whole, views.valid.copy())


METHOD = bandpass
