"""Pixels that contradict their label, by robust distances to what each class looks like.

Of each quarter and class the middle and the scatter of log reflectance are estimated such that a
quarter of the pixels may be wrong: medians first, then means and covariances of the nearest three
quarters, some times over (concentration steps as in Rousseeuw and Van Driessen 1999, Technometrics
41, 212). A pixel contradicts its label where it is farther from its own class than nearly all
pixels should be, and another class is far likelier; or where it is absurdly far from its own.

An archive of a few tens of chips is too small for it: a wrong label is then a large part of what
describes its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from nndacss.clean.measure import Measure
from nndacss.labels.land_cover import LandCover
from nndacss.landcovernet.names import quarter

Vectors = NDArray[np.float64]

#: Share of the pixels that a robust estimate rests on, and how often it is refined.
_CORE, _STEPS = 0.75, 8
#: Share of a class's own pixels that lie within its limit, if it were Gaussian.
_WITHIN = 0.99
#: Another class is far likelier: by this factor (a difference of 6 in -2 log likelihood).
_LIKELIER = 6.0
#: Absurdly far: so many times the limit.
_ABSURD = 6.0
#: A class is described where so many images and pixels show it.
_IMAGES, _PIXELS = 3, 120
#: Pixels that describe a class well enough; of more, every second, third, ... is taken.
_ENOUGH = 20_000
#: Least standard deviation of log reflectance: classes are not known better than this.
_FLOOR = 0.05
#: Makes the median absolute deviation the standard deviation of a Gaussian.
_MAD = 1.4826


@dataclass(frozen=True)
class Look:
    """What a class looks like in a quarter."""

    centre: Vectors
    inverse: Vectors
    volume: float
    """Logarithm of the scatter's determinant."""

    def distance(self, spectra: Vectors) -> Vectors:
        """(pixels,) squared distances."""
        off = spectra - self.centre
        squares: Vectors = np.einsum("ij,jk,ik->i", off, self.inverse, off)
        return squares


def contradictions(measures: Mapping[str, Measure], trusted: Sequence[str]) -> dict[str, float]:
    """Share of each image's labelled pixels that contradict their label; 0 where none is judged.

    Classes are described by the `trusted` images.
    """
    result = {}
    for number in range(1, 5):
        own = {name: one for name, one in measures.items() if quarter(name[-8:]) == number}
        looks = describe([own[name] for name in trusted if name in own])
        for name, one in own.items():
            result[name] = contradiction(one, looks)
    return result


def describe(measures: Sequence[Measure]) -> dict[int, Look]:
    """Class -> its look, for classes that enough images show."""
    shown: dict[int, list[Vectors]] = {}
    for one in measures:
        if one.spectra is None or one.classes is None:
            continue
        for code in np.unique(one.classes):
            shown.setdefault(int(code), []).append(one.spectra[one.classes == code].astype(float))
    looks = {}
    for code in sorted(shown):
        pixels = np.concatenate(shown[code])
        if len(shown[code]) >= _IMAGES and len(pixels) >= _PIXELS:
            looks[code] = robust(pixels[:: 1 + len(pixels) // _ENOUGH])
    return looks


def robust(pixels: Vectors) -> Look:
    """Centre and scatter of (pixels, bands), of which a quarter may be wrong.

    The scatter is scaled such that the median distance is what it is for a Gaussian.
    """
    bands = pixels.shape[1]
    centre = np.median(pixels, axis=0)
    spread = np.maximum(_MAD * np.median(np.abs(pixels - centre), axis=0), _FLOOR)
    scatter = np.diag(spread**2)
    for _ in range(_STEPS):
        distance = _look(centre, scatter).distance(pixels)
        near = pixels[
            np.argsort(distance, kind="stable")[: max(bands + 1, int(_CORE * len(pixels)))]
        ]
        centre = near.mean(axis=0)
        scatter = np.cov(near.T) + _FLOOR**2 * np.eye(bands)
    distance = _look(centre, scatter).distance(pixels)
    return _look(centre, scatter * float(np.median(distance) / chi2.ppf(0.5, bands)))


def contradiction(one: Measure, looks: Mapping[int, Look]) -> float:
    """Share of an image's labelled pixels that contradict their label; 0 where none is judged."""
    if one.spectra is None or one.classes is None or one.weights is None or not looks:
        return 0.0
    spectra = one.spectra.astype(np.float64)
    judged = np.isin(one.classes, list(looks))
    if not judged.any():
        return 0.0
    limit = float(chi2.ppf(_WITHIN, spectra.shape[1]))
    distance = {code: look.distance(spectra) for code, look in looks.items()}
    unlikely = {code: distance[code] + looks[code].volume for code in looks}
    best = np.min(np.stack(list(unlikely.values())), axis=0)
    own, own_unlikely = np.zeros(len(spectra)), np.zeros(len(spectra))
    for code in looks:
        here = one.classes == code
        own[here], own_unlikely[here] = distance[code][here], unlikely[code][here]
    wrong = (own > limit) & (own_unlikely - best > _LIKELIER) | (own > _ABSURD * limit)
    weights = one.weights * judged
    return float((weights * wrong).sum() / weights.sum())


def limit_of(shares: Sequence[float], least: float, spread: float) -> float:
    """From which share on an image is an outlier: at least `least`, and far above the others'.

    >>> limit_of([0.01, 0.02, 0.03], 0.25, 4)
    0.25
    """
    if not shares:
        return least
    middle = float(np.median(shares))
    deviation = _MAD * float(np.median(np.abs(np.array(shares) - middle)))
    return max(least, middle + spread * deviation)


def class_name(code: int) -> str:
    """A class in words.

    >>> class_name(2)
    'natural bare'
    """
    return LandCover(code).name.lower().replace("_", " ")


def _look(centre: Vectors, scatter: Vectors) -> Look:
    inverse: Vectors = np.linalg.inv(scatter).astype(np.float64)
    return Look(centre, inverse, float(np.linalg.slogdet(scatter)[1]))
