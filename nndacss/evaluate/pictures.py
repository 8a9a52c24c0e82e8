"""Pictures of samples: true colour, truth and prediction side by side."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets import Sample
from nndacss.evaluate.models import Labels
from nndacss.labels import NODATA, Scheme
from nndacss.labels.sets import Sets
from nndacss.product.quicklook import TRUE, stretch

Picture = NDArray[np.uint8]
#: Longest side of one of the three, pixels.
SIDE = 320
GAP = 6
#: Nodata and unlabelled; labels that leave more than one class open.
PAPER = (233, 230, 222)
OPEN = (205, 214, 200)


def triptych(sample: Sample, labels: Labels, scheme: Scheme) -> Picture:
    """(rows, 3 x columns + gaps, 3): the image, what it is, what the model says."""
    step = max(1, math.ceil(max(labels.shape) / SIDE))
    thin = (slice(None, None, step), slice(None, None, step))
    cloud = scheme.classes.index("cloud") if "cloud" in scheme.classes else None
    true = true_colour(sample, cloud)[thin]
    panels = [true, truth(sample.sets[thin], scheme), classes(labels[thin], scheme)]
    gap = np.full((true.shape[0], GAP, 3), 255, dtype=np.uint8)
    return np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)


def true_colour(sample: Sample, cloud: int | None = None) -> Picture:
    """The image in true colour where it has the bands, else its first band in grey.

    Stretched on what is not surely of class `cloud`, so that ground shows beside white.
    """
    roles = TRUE if set(TRUE) <= set(sample.roles) else (sample.roles[0],) * 3
    pixels = sample.pixels[[sample.roles.index(role) for role in roles]]
    ground = sample.sets != (0 if cloud is None else 1 << cloud)
    picture = stretch(pixels, ground)(pixels)
    flat = np.where(picture[..., 3:] > 0, picture[..., :3], np.array(PAPER, dtype=np.uint8))
    return flat.astype(np.uint8)


def truth(sets: Sets, scheme: Scheme) -> Picture:
    """Class colours; sets that leave more than one class open in one pale colour."""
    palette = np.tile(np.array(OPEN, dtype=np.uint8), (1 << len(scheme.classes), 1))
    palette[0] = PAPER
    for code, colour in enumerate(scheme.colours):
        palette[1 << code] = colour
    return np.asarray(palette[sets])


def classes(labels: Labels, scheme: Scheme) -> Picture:
    """Class colours; nodata as paper."""
    palette = np.tile(np.array(PAPER, dtype=np.uint8), (NODATA + 1, 1))
    palette[: len(scheme.colours)] = scheme.colours
    return np.asarray(palette[labels])
