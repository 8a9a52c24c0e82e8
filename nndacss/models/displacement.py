"""Cloud by parallax: what lies elsewhere in another band stands above the ground.

In a Gaussian window the detail g of one band is that of another, f, displaced by d and times c:
g = c f - c d . grad f, to first order, solved by least squares (Lucas and Kanade 1981). The
scatter that is left tells how well d is known. By what the card says of ground and of clouds d is
likelier, by some factor, for the one or the other; its logarithm moves the odds of cloud. Of two
pairs of bands the one with more of it counts: blue and green lie further apart in time in OLI,
blue and red in Sentinel-2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nndacss.models.darkness import CLOUD
from nndacss.models.parallax import BANDS, SNOW, Parallax
from nndacss.raster import Pixels

Plane = NDArray[np.float32]

#: Detail is what lies between these Gaussians, pixels: no noise, no slopes.
_FINE, _COARSE = 0.8, 5.0
#: Pixels a side that are averaged for the windows; divides a tile's sides.
_BLOCK = 4
#: Contrast in green or red of that in blue. Beyond these the bands show different things.
_ALIKE = (0.3, 3.0)
#: Evidence of one pair of bands: the other may still outweigh it.
_LOUDEST = 20.0
#: Squared reflectance below which there is no detail: steps in which products store it are 1e-4.
_FAINT = 1e-10
#: Errors of a displacement that is measured are larger than the scatter says, since neighbours
#: in it are not independent.
_DOUBT = 1.5
#: Pixels over which brightness is averaged.
_AROUND = 2.0


def raised(
    probability: Pixels,
    pixels: Pixels,
    roles: Sequence[str],
    classes: Sequence[str],
    parallax: Parallax,
) -> Pixels:
    """Probabilities of one tile with the evidence in them, float32.

    `probability` is (classes, rows, columns) with sum 1, `pixels` (bands, rows, columns)
    reflectance in the order of `roles`, NaN where missing; rows and columns are multiples of 4.
    Where nothing is known of displacement nothing changes.
    """
    snow, cloud = classes.index(SNOW), classes.index(CLOUD)
    bands = pixels[[roles.index(role) for role in BANDS]]
    bright = _bright(bands, parallax)
    # evidence can change a label where snow leads, or cloud does on something bright
    label = probability.argmax(axis=0)
    if not ((label == snow) | ((label == cloud) & (bright > 0))).any():
        return probability
    known = evidence(bands, parallax)
    times = np.float32(parallax.overconfidence)
    result = probability.copy()
    result[snow] *= np.exp(-times * np.clip(known, 0, parallax.most))
    result[cloud] *= np.exp(times * np.clip(known, parallax.least, 0) * bright)
    result /= result.sum(axis=0)
    return result


def evidence(bands: Pixels, parallax: Parallax) -> Plane:
    """(rows, columns) log-odds of cloud by displacement, 0 where there is nothing to go by.

    `bands` is (3, rows, columns) reflectance in the order of `BANDS`, NaN where missing; rows and
    columns are multiples of 4.
    """
    there = np.asarray(np.isfinite(bands).all(axis=0))
    # what touches a gap has no slope
    weight = ndimage.binary_erosion(there, iterations=2, border_value=True).astype(np.float32)
    filled = np.where(there, bands, np.float32(0))
    first, *others = (_detail(band, there) for band in filled)
    totals = [_totals(first, other, weight) for other in others]
    share = _blocks(weight)
    found = [
        np.max([_in_window(total, share, window, parallax) for total in totals], axis=0)
        for window in parallax.windows
    ]
    result = np.zeros(share.shape, dtype=np.float32)
    for one in found:
        result = np.where(np.abs(result) < parallax.decides, one, result)
    still = np.minimum(np.maximum(result, found[-1]), 0)
    result = np.where(result < 0, still, result)
    fine: Plane = ndimage.zoom(
        result.astype(np.float32), _BLOCK, order=1, mode="nearest", grid_mode=True
    )
    return fine


def _bright(bands: Pixels, parallax: Parallax) -> Plane:
    """0..1: how much stillness counts against cloud; 0 where a band is missing."""
    low, high = parallax.bright
    darkest = np.nan_to_num(bands.min(axis=0), nan=0.0)
    smooth = ndimage.gaussian_filter(darkest, _AROUND)
    share: Plane = np.clip((smooth - low) / (high - low), 0, 1).astype(np.float32)
    return share


def _detail(band: Plane, there: NDArray[np.bool_]) -> Plane:
    """Between two Gaussian means of what is there; 0 where a pixel is missing."""
    weight = there.astype(np.float32)

    def smooth(width: float) -> Plane:
        total = ndimage.gaussian_filter(weight, width)
        mean: Plane = ndimage.gaussian_filter(band, width) / np.maximum(total, 1e-6)
        return mean

    return np.where(there, smooth(_FINE) - smooth(_COARSE), np.float32(0))


def _totals(f: Plane, g: Plane, weight: Plane) -> NDArray[np.float64]:
    """(10, blocks, blocks): products of f, its slopes down and across, and g, in blocks."""
    down, across = np.gradient(f)
    terms = (f, down, across, g)
    products = [a * b * weight for k, a in enumerate(terms) for b in terms[k:]]
    return np.stack([_blocks(product) for product in products]).astype(np.float64)


def _in_window(
    totals: NDArray[np.float64], share: Plane, window: float, parallax: Parallax
) -> Plane:
    """Log of how much likelier the displacement within a window is for cloud than for ground.

    0 where the bands show different things, or nothing.
    """
    width = window / _BLOCK
    size = ndimage.gaussian_filter(share, width, mode="constant")
    sums = [ndimage.gaussian_filter(total, width, mode="constant") for total in totals]
    # independent pixels: a window's area by that of the finest Gaussian
    count = np.maximum(size * (window / _FINE) ** 2, 1)
    times, squared, error = _displacement(np.stack(sums) / np.maximum(size, 1e-6), count)
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.logaddexp(
            np.log1p(-parallax.loose_share) + _density(squared, parallax.ground**2 + error),
            np.log(parallax.loose_share) + _density(squared, parallax.loose**2 + error),
        )
        odds = _density(squared, parallax.cloud**2 + parallax.ground**2 + error) - ground
    alike = (times > _ALIKE[0]) & (times < _ALIKE[1]) & np.isfinite(odds)
    result: Plane = np.where(alike, np.clip(odds, -_LOUDEST, _LOUDEST), 0).astype(np.float32)
    return result


def _displacement(
    moments: NDArray[np.float64], count: Plane
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """c, the square of d, and the variance of d along an axis, from means of `count` pixels."""
    ff, fy, fx, fg, yy, yx, yg, xx, xg, gg = moments
    rows = [[ff, fy, fx], [fy, yy, yx], [fx, yx, xx]]
    left = np.moveaxis(np.array(rows), (0, 1), (-2, -1)) + _FAINT * np.eye(3)
    inverse = np.linalg.inv(left)
    right = np.stack([fg, yg, xg], axis=-1)
    times, down, across = np.moveaxis((inverse @ right[..., None])[..., 0], -1, 0)
    scatter = np.maximum(gg - (times * fg + down * yg + across * xg), _FAINT)
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = (down**2 + across**2) / times**2
        spread = (inverse[..., 1, 1] + inverse[..., 2, 2]) / 2
        error = _DOUBT**2 * scatter / count * spread / times**2
    return times, squared, error


def _density(squared: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log density of a plane's Gaussian but for a constant, at a squared distance."""
    return -np.log(variance) - squared / (2 * variance)


def _blocks(plane: Plane) -> Plane:
    rows, columns = plane.shape
    squares = plane.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    mean: Plane = squares.mean(axis=(1, 3))
    return mean
