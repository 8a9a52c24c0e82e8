"""Clear ground and snow from the harmonized image, cloud and shadow from an adapted one.

The composition that NNDACSS is named after: networks that harmonize are trained without clouds, so
what they make of clouds and shadows is not to be trusted, while Landsat has measured them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy.ndimage import distance_transform_edt

from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Composed, Mask, Views
from nndacss.plugins import load
from nndacss.raster import Pixels


def by_class(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """The harmonized window with `options.adapted`'s pixels in `options.classes`.

    The generator goes to that method, and to that alone. `changed` are the pixels that come from
    it, those of the feathered border included.
    """
    weight = _weight(views.of(options.classes), options.feather / views.metres)
    inside = (weight > 0) & views.valid
    needed = inside if views.needed is None else inside & views.needed
    adapted: Composed = load("compose", options.adapted)(
        replace(views, needed=needed), options, rng
    )
    faded = views.whole + weight * (adapted.pixels - views.whole)
    pixels = np.where(weight == 1, adapted.pixels, np.where(inside, faded, views.whole))
    return Composed(pixels, inside & adapted.changed)


def _weight(core: Mask, feather: float) -> Pixels:
    """1 on `core`, falling to 0 at `feather` pixels from it as half a cosine; (rows, columns)."""
    if not feather or not core.any():
        return core.astype(np.float32)
    distance = np.minimum(distance_transform_edt(~core) / feather, 1)
    weight: Pixels = (0.5 + 0.5 * np.cos(np.pi * distance)).astype(np.float32)
    return weight


METHOD = by_class
