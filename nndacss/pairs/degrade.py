"""Sentinel-2 at 10 m as Landsat would see it: point spread, lattice, responses, noise and haze.

The image's own blur is taken into account: what is added is the point spread that, together with
Sentinel-2's, has the width of OLI's. Between the image's samples lies cubic convolution, which
blurs nothing up to the curvature, so a shift of a few metres is as exact as the image allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from nndacss.harmonize.spectral import Spectral
from nndacss.pairs.lattice import EDGE, Plane
from nndacss.pairs.source import ROLES
from nndacss.raster import Pixels
from nndacss.sensors import landsat8_oli
from nndacss.simulate.atmosphere import Air
from nndacss.simulate.optics import LANDSAT, SENTINEL2

#: Weights of blue, green and red in pan: OLI's pan band ends at 676 nm and takes little blue.
PAN_WEIGHTS = (0.10, 0.50, 0.40)


def _sigma(spread: float, metres: int) -> float:
    """The Gaussian that passes at the Nyquist frequency what a mix with the neighbours passes.

    The mix passes 1 - 4 spread, a Gaussian exp(-(pi sigma / metres)^2 / 2).
    """
    return metres * sqrt(-2 * log(1 - 4 * spread)) / pi


#: Pixel size -> sigma, metres, of the Gaussian that makes OLI's point spread out of its square
#: pixel: 0.38 at the Nyquist frequency, see `nndacss.simulate.optics.LANDSAT`.
OLI_SIGMA: Mapping[int, float] = {m: _sigma(LANDSAT.spread[m], m) for m in (30, 15)}
#: The same of Sentinel-2's bands.
MSI_SIGMA: Mapping[int, float] = {m: _sigma(SENTINEL2.spread[m], m) for m in (10, 20)}


@dataclass(frozen=True)
class Conditions:
    """How one image is seen."""

    corner: tuple[int, int]
    """Metres east and south from a whole multiple of 30 to the image's corner: 0, 10 or 20."""
    shift: tuple[float, float]
    """Metres east and south by which Landsat's content lies off its place."""
    pan_shift: tuple[float, float]
    """The same of pan against the other bands."""
    width: float
    """Width of the point spread, in `OLI_SIGMA`."""
    noise: float
    """Strength of the noise, in that of `nndacss.simulate.optics.LANDSAT`."""
    response: Spectral
    """From Sentinel-2's bands to OLI's."""
    pan_weights: tuple[float, float, float]
    """Of OLI's blue, green and red."""
    haze: float
    """Optical thickness of haze at 0.55 um before pan, which is seen through air."""
    sun_elevation: float
    """Degrees."""


@dataclass(frozen=True)
class Fine:
    """Sentinel-2 around a pair; the first pixels of both share their upper left edges."""

    ten: Pixels
    """(3, rows, columns): blue, green, red."""
    twenty: Pixels
    """(3, rows / 2, columns / 2): nir08, swir16, swir22."""
    margin: tuple[int, int]
    """10 m pixels (rows, columns) from the first one to the pair's first."""


def landsat_view(fine: Fine, seen: Conditions, draw: np.random.Generator) -> tuple[Plane, Plane]:
    """Six bands on 30 m pixels and pan at the top of the atmosphere on 15 m pixels.

    Places are metres from the pair's corner. Only pixels that the image holds whole are there;
    one that needs a missing value is missing (NaN). `draw` makes the noise.
    """
    bands, west, north = _sampled(fine, seen, 30, seen.shift)
    noisy = np.stack(
        [
            _noisy(band, role, seen.noise, draw)
            for role, band in zip(ROLES, seen.response.apply(bands), strict=True)
        ]
    )
    across, down = (a + b for a, b in zip(seen.shift, seen.pan_shift, strict=True))
    sharp, pan_west, pan_north = _sampled(fine, seen, 15, (across, down))
    weights = np.array(seen.pan_weights, dtype=np.float32)
    ground: Pixels = np.tensordot(weights, seen.response.apply(sharp)[:3], 1)
    pan = _noisy(through_air(ground, seen.haze, seen.sun_elevation), "pan", seen.noise, draw)
    return Plane(noisy, west, north, 30), Plane(pan[None], pan_west, pan_north, 15)


def through_air(ground: Pixels, haze: float, sun_elevation: float) -> Pixels:
    """Pan of some ground as seen from above: path radiance and transmittance of one haze."""
    air = Air(sun_elevation, haze, landsat8_oli.SENSOR)
    dust = np.full((1, 1), haze, dtype=np.float32)
    return air.top("pan", ground, dust)


def oli_spread(pixels: Pixels, sigma_metres: float, metres: float) -> Pixels:
    """(..., rows, columns) of `metres` blurred by a Gaussian; NaN stays NaN and spreads not.

    At the edges and beside missing pixels the kernel is what of it lies on pixels that are there.
    """
    sigma = (*(0.0,) * (pixels.ndim - 2), sigma_metres / metres, sigma_metres / metres)
    there = ~np.isnan(pixels)
    total = gaussian_filter(np.where(there, pixels, 0).astype(np.float64), sigma, mode="constant")
    share = gaussian_filter(there.astype(np.float64), sigma, mode="constant")
    result: Pixels = np.where(there, total / np.maximum(share, 1e-9), np.nan).astype(np.float32)
    return result


def _sampled(
    fine: Fine, seen: Conditions, metres: int, shift: tuple[float, float]
) -> tuple[Pixels, float, float]:
    """Six bands as means over the point spread of pixels of `metres`, and their corner."""
    size = [10 * count for count in fine.ten.shape[1:]]
    first = [-10 * margin for margin in fine.margin]
    places = [
        _centres(metres, corner, start, start + length, aside, seen.width)
        for corner, start, length, aside in zip(
            seen.corner[::-1], first, size, shift[::-1], strict=True
        )
    ]
    parts = []
    for pixels, step in ((fine.ten, 10), (fine.twenty, 20)):
        box, sigma = _added(metres, step, seen.width)
        down, across = (
            _weights(at - aside - start, count, step, box, sigma)
            for at, aside, start, count in zip(
                places, shift[::-1], first, pixels.shape[1:], strict=True
            )
        )
        parts.append(_through(down, pixels, across))
    west, south = places[1][0] - metres / 2, places[0][0] - metres / 2
    return np.concatenate(parts), float(west), float(-south)


def _centres(
    metres: int, corner: int, start: float, end: float, shift: float, width: float
) -> NDArray[np.float64]:
    """Centres of Landsat's pixels along one axis whose ground lies between `start` and `end`.

    Metres from the pair's corner, which is `corner` metres from a whole multiple of 30.
    """
    reach = metres / 2 + 2 * width * OLI_SIGMA[metres]
    offset = EDGE[metres] + metres / 2 - corner
    low = ceil((start + reach + shift - offset) / metres)
    high = floor((end - reach + shift - offset) / metres)
    centres: NDArray[np.float64] = offset + metres * np.arange(low, high + 1, dtype=np.float64)
    return centres


def _added(metres: int, step: int, width: float) -> tuple[float, float]:
    """Box and Gaussian sigma, metres, that widen Sentinel-2's point spread to OLI's.

    Variances add up: a box of w metres has w^2 / 12. Where the image is nearly as blurred as
    Landsat's, the box is narrower than a pixel.
    """
    wanted = metres**2 / 12 + (width * OLI_SIGMA[metres]) ** 2
    own = step**2 / 12 + MSI_SIGMA[step] ** 2
    rest = max(wanted - own, 1 / 12)
    box = min(float(metres), sqrt(12 * rest))
    return box, sqrt(max(rest - box**2 / 12, 0.0))


def _weights(
    at: NDArray[np.float64], count: int, step: int, box: float, sigma: float
) -> NDArray[np.float32]:
    """(places, samples): means over a box and a Gaussian of samples joined by cubic convolution.

    `at` are metres from the first sample's outer edge. Beyond the last sample its value goes on.
    """
    reach = box / 2 + 3 * sigma
    offset = np.linspace(-reach, reach, 2 * ceil(reach) + 1)
    if sigma > 0.25:
        edges = [erf((offset + side * box / 2) / (sqrt(2) * sigma)) for side in (1, -1)]
        kernel = edges[0] - edges[1]
    else:
        kernel = np.ones_like(offset)
        kernel[[0, -1]] = 0.5
    kernel = kernel / kernel.sum()
    place = (at[:, None] + offset) / step - 0.5
    number = np.floor(place).astype(np.intp)
    t = place - number
    keys = (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    row = np.arange(at.size)[:, None] * count
    result = np.zeros(at.size * count)
    for n, part in enumerate(keys):
        index = (row + np.clip(number + n - 1, 0, count - 1)).ravel()
        result += np.bincount(index, (kernel * part).ravel(), minlength=result.size)
    return result.reshape(at.size, count).astype(np.float32)


def _through(down: NDArray[np.float32], pixels: Pixels, across: NDArray[np.float32]) -> Pixels:
    """Rows, then columns; missing where a missing pixel has a share."""
    missing = np.isnan(pixels)
    result: Pixels = down @ np.where(missing, np.float32(0), pixels) @ across.T
    if missing.any():
        lost = np.abs(down) @ missing.astype(np.float32) @ np.abs(across).T
        result[lost > 1e-4] = np.nan
    return result


def _noisy(band: Pixels, role: str, strength: float, draw: np.random.Generator) -> Pixels:
    """With noise that grows with the square root of the light, as the simulation's."""
    size = np.float32(strength * LANDSAT.noise[role])
    spread = size * np.sqrt(np.maximum(band, np.float32(0.02)) * 10)
    noisy: Pixels = band + spread * draw.standard_normal(band.shape, dtype=np.float32)
    return noisy
