"""Pan-informed sharpening: detail below 30 m from the 15 m panchromatic band.

For each multispectral band M, in reflectance:

    out = M up + gain * (P at 10 m - P averaged to 30 m, up)

with `gain` the slope of M on P by least squares among the 7 x 7 Landsat pixels around (210 m), at
30 m, where both are known. So a band takes only as much of the pan's detail as it follows the
pan where both can be seen: all of it in green and red, the opposite sign where vegetation is
bright in the near infrared and dark in pan, little where the two have nothing in common. This is
local regression-based detail injection (Aiazzi et al. 2007, IEEE TGRS 45(10)); it needs no
assumption about spectral responses and lets pan be TOA while the bands are surface reflectance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import uniform_filter

from nndacss.raster import Pixels
from nndacss.readers.scene import Scene
from nndacss.tile.warp import source_window, warp

#: Side of the regression neighbourhood, Landsat pixels.
NEIGHBOURHOOD = 7
#: Variance of noise in pan averaged to 30 m, reflectance squared: keeps gains small on flat
#: ground. 0.002 is about OLI's specified noise at typical radiance (signal-to-noise >= 100).
NOISE = 0.002**2
#: No band moves more than this many times as strongly as pan.
LIMIT = 3.0


def sharpen(scene: Scene, roles: Sequence[str], grid: GeoBox) -> tuple[Pixels, NDArray[np.bool_]]:
    """`roles` on `grid` with pan's detail, and where there was pan.

    (bands, rows, columns) float32 reflectance, NaN where missing; (rows, columns) bool.
    """
    coarse = _around(scene.grid(roles[0]), grid, NEIGHBOURHOOD // 2 + 3)
    bands = scene.read(roles, coarse).pixels
    if 0 in coarse.shape:
        nothing = np.full((len(roles), *grid.shape), np.nan, dtype=np.float32)
        return nothing, np.zeros(grid.shape, dtype=np.bool_)
    fine = _around(scene.grid("pan"), coarse, 3)
    pan = scene.read(["pan"], fine).pixels
    average = warp(pan, fine, coarse, "average")
    detail = warp(pan, fine, grid)[0] - warp(average, coarse, grid)[0]
    gain = warp(gains(bands, average[0]), coarse, grid, "bilinear")
    sharp = ~np.isnan(detail)
    added = np.where(sharp, np.nan_to_num(gain) * np.where(sharp, detail, 0), np.float32(0))
    return warp(bands, coarse, grid) + added, sharp


def gains(bands: Pixels, pan: Pixels) -> Pixels:
    """Slope of each band on pan in its neighbourhood, (bands, rows, columns); 0 if unknown.

    `bands` (bands, rows, columns) and `pan` (rows, columns) on one grid, NaN where missing.
    """
    known = ~(np.isnan(bands).any(axis=0) | np.isnan(pan))
    share = np.maximum(_mean(known.astype(np.float32)), np.float32(1e-6))
    x = np.where(known, pan, 0).astype(np.float32)
    mean = _mean(x) / share
    variance = np.maximum(_mean(x * x) / share - mean * mean, 0)
    result = np.empty_like(bands)
    for index, band in enumerate(bands):
        y = np.where(known, band, 0).astype(np.float32)
        covariance = _mean(x * y) / share - mean * (_mean(y) / share)
        result[index] = np.clip(covariance / (variance + NOISE), -LIMIT, LIMIT)
    return np.where(known, result, np.float32(0))


def _mean(pixels: Pixels) -> Pixels:
    """Mean over the neighbourhood, zero outside the array."""
    filtered: Pixels = uniform_filter(pixels, NEIGHBOURHOOD, mode="constant")
    return filtered


def _around(native: GeoBox, grid: GeoBox, margin: int) -> GeoBox:
    """The window of a band's own plane that `grid` needs, `margin` pixels around."""
    rows, columns = source_window(native, grid, margin)
    return native[rows, columns]
