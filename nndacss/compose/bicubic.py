"""Landsat as it is, brought to the grid."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Composed, Views


def bicubic(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """Landsat's own pixels; nothing is set and nothing drawn."""
    del options, rng
    return Composed(np.where(views.valid, views.landsat, np.float32(np.nan)), views.valid.copy())


METHOD = bicubic
