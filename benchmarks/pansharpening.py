"""Pan-sharpening on the 10 m grid, to compare harmonizers with.

Every method takes a harmonizer's input, (7, rows, columns) float32 reflectance on the 10 m grid
(six bands brought there from 30 m, pan last; NaN missing), and gives (6, rows, columns) in the
same band responses. Where pan is missing the bands stay as they are. The scene's own 30 m and 15 m
pixels are not there, so what a method must know at 30 m is taken from the 10 m pixels.

- `regression`: what the product's `bandpass` does (`nndacss.harmonize.pan`); on the 10 m grid pan
  is blurred by 14 m instead of averaged to 30 m and brought back. Both have the same error against
  truth, within 2 % (`tests/benchmarks/test_pansharpening.py`);
- `brovey`: GDAL's weighted Brovey (VRTPansharpenedDataset), the pan first matched in mean and
  spread to the weighted bands, since it is top of atmosphere and they are surface reflectance;
- `gsa`: adaptive Gram-Schmidt, Aiazzi et al. 2007, doi:10.1109/TGRS.2007.901007.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from osgeo import gdal
from scipy.ndimage import gaussian_filter, uniform_filter

from nndacss.harmonize.pan import LIMIT, NEIGHBOURHOOD, NOISE
from nndacss.models.harmonizer import SYNTHETIC_PAN
from nndacss.models.harmonizer_card import ROLES
from nndacss.raster import Pixels
from nndacss.tile.warp import warp

#: 10 m pixels a side of a Landsat pixel.
CELL = 3
#: Standard deviation in 10 m pixels of the blur that leaves of pan what 30 m pixels show of it.
BLUR = 1.4
#: Weighted mean, reflectance, below which a ratio to it is noise.
DARK = 0.01
#: What each band counts for in pan.
WEIGHTS = np.array([SYNTHETIC_PAN.get(role, 0.0) for role in ROLES])

Sharpen = Callable[[Pixels], Pixels]


@lru_cache(maxsize=16)
def grids(rows: int, columns: int) -> tuple[GeoBox, GeoBox]:
    """A 10 m grid of that size and the 30 m grid over it, which begin at one corner."""
    shape = -(-rows // CELL), -(-columns // CELL)
    fine = GeoBox((rows, columns), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")
    return fine, GeoBox(shape, Affine(30, 0, 0, 0, -30, 0), "EPSG:32632")


def to_30_m(pixels: Pixels) -> Pixels:
    """Means over Landsat pixels, (bands, rows / 3, columns / 3)."""
    fine, coarse = grids(*pixels.shape[1:])
    return warp(pixels, fine, coarse, "average")


def regression(inputs: Pixels) -> Pixels:
    """Each band takes as much of pan's detail as it follows pan in the 210 m around."""
    bands, pan = inputs[:-1], inputs[-1]
    known = ~np.isnan(inputs).any(axis=0)
    there = known.astype(np.float32)
    share = np.maximum(gaussian_filter(there, BLUR), np.float32(1e-6))
    low = gaussian_filter(np.where(known, pan, 0), BLUR) / share
    around = np.maximum(_around(there), np.float32(1e-6))
    mean = _around(low * there) / around
    variance = np.maximum(_around(low * low * there) / around - mean * mean, 0)
    result = bands.copy()
    for band in result:
        filled = np.where(known, band, 0)
        covariance = _around(filled * low) / around - mean * _around(filled) / around
        gain = np.clip(covariance / (variance + NOISE), -LIMIT, LIMIT)
        band[known] += (gain * (pan - low))[known]
    return result


def _around(plane: Pixels) -> Pixels:
    """Mean over 210 m, zero outside."""
    mean: Pixels = uniform_filter(plane, NEIGHBOURHOOD * CELL, mode="constant")
    return mean


def brovey(inputs: Pixels) -> Pixels:
    """All bands times pan over the weighted mean of blue, green and red, where that is not dark."""
    bands, pan = inputs[:-1], inputs[-1]
    intensity = np.tensordot(WEIGHTS, bands, axes=1).astype(np.float32)
    known = (intensity > DARK) & ~np.isnan(pan)  # never where it is NaN
    if not known.any():
        return bands
    low = to_30_m(np.stack([pan, intensity]))
    matched = match(pan, low[0], low[1])
    filled = np.where(known, np.concatenate([bands, matched[None]]), 1).astype(np.float32)
    return np.where(known, _gdal_brovey(filled), bands)


def _gdal_brovey(planes: Pixels) -> Pixels:
    """GDAL's weighted Brovey of bands and pan (last) on one grid, without missing pixels."""
    count, rows, columns = planes.shape
    source = gdal.GetDriverByName("MEM").Create("", columns, rows, count, gdal.GDT_Float32)
    for index, plane in enumerate(planes, start=1):
        source.GetRasterBand(index).WriteArray(plane)
    weights = ",".join(f"{weight:g}" for weight in WEIGHTS)
    spectral = "".join(f'<SpectralBand dstBand="{band}"/>' for band in range(1, count))
    recipe = (
        '<VRTDataset subClass="VRTPansharpenedDataset"><PansharpeningOptions>'
        "<Algorithm>WeightedBrovey</Algorithm>"
        f"<AlgorithmOptions><Weights>{weights}</Weights></AlgorithmOptions>"
        f"<PanchroBand/>{spectral}</PansharpeningOptions></VRTDataset>"
    )
    bands = [source.GetRasterBand(index) for index in range(1, count + 1)]
    result = gdal.CreatePansharpenedVRT(recipe, bands[-1], bands[:-1])
    found: Pixels = result.ReadAsArray()
    return found


def gsa(inputs: Pixels) -> Pixels:
    """Pan minus the mix of bands that is most like it at 30 m, added by each band's slope on it."""
    bands, pan = inputs[:-1], inputs[-1]
    low = to_30_m(inputs)
    known = ~np.isnan(low).any(axis=0)
    if known.sum() <= len(low):
        return bands
    samples = low[:-1, known].T.astype(np.float64)
    table = np.column_stack([samples, np.ones(len(samples))])
    mix = np.linalg.lstsq(table, low[-1, known].astype(np.float64), rcond=None)[0]
    low_intensity = np.full(known.shape, np.nan, dtype=np.float32)
    low_intensity[known] = table @ mix
    intensity = np.tensordot(mix[:-1], bands, axes=1) + mix[-1]
    detail = match(pan, low[-1], low_intensity) - intensity
    spread = float(np.var(low_intensity[known])) or np.inf
    centred = low_intensity[known] - low_intensity[known].mean()
    slope = (samples * centred[:, None]).mean(axis=0) / spread
    added: Pixels = np.nan_to_num(slope[:, None, None] * detail).astype(np.float32)
    return bands + added


def match(pan: Pixels, low_pan: Pixels, low_intensity: Pixels) -> Pixels:
    """Pan with mean and spread that the intensity has, both as they are at 30 m."""
    known: NDArray[np.bool_] = ~np.isnan(low_pan) & ~np.isnan(low_intensity)
    own, wanted = low_pan[known], low_intensity[known]
    factor = float(wanted.std() / own.std()) if own.size and own.std() > 0 else 1.0
    shift = float(wanted.mean()) - factor * float(own.mean()) if own.size else 0.0
    matched: Pixels = (factor * pan + shift).astype(np.float32)
    return matched


#: Name in tables -> method.
CLASSICAL: Mapping[str, Sharpen] = {"Brovey (GDAL)": brovey, "GSA": gsa}
