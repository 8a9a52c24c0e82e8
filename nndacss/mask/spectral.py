"""A documented threshold mask for scenes without quality bits. Provisional by nature.

Per pixel, in reflectance, after the basic tests of Fmask (Zhu & Woodcock 2012, Remote Sens.
Environ. 118, equations 1-4 and 20) and made stricter by a brightness floor, since there is no
temperature here to sort out bright soil:

- cloud: swir22 > 0.03, NDSI < 0.8, NDVI < 0.8, whiteness < 0.7, haze-optimized transform
  blue - 0.5 red > 0.08, nir08 / swir16 > 0.75, blue > 0.18;
- snow: NDSI > 0.4, nir08 > 0.11, green > 0.1 (takes precedence where NDSI > 0.6);
- shadow: dark in the infrared (nir08 < 0.12, swir16 < 0.08) and not water (NDWI <= 0).

It takes bright sand, roofs and salt for cloud, dark forest and terrain shadow for shadow, and
misses thin cloud. With blue, green and red alone only bright white pixels are cloud, and neither
shadow nor snow can be told.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.labels.climate import Climate
from nndacss.mask.result import Masked
from nndacss.mask.settings import MaskSettings
from nndacss.raster import Raster
from nndacss.readers.scene import Scene
from nndacss.sensors import REFLECTIVE

VISIBLE = ("blue", "green", "red")


def label(image: Raster) -> NDArray[np.uint8]:
    """(rows, columns) uint8 `Climate` codes from reflectance; NODATA where any band is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        six = set(REFLECTIVE) <= set(image.roles)
        labels = _six_bands(image) if six else _visible(image)
    return np.where(image.valid, labels, np.uint8(Climate.NODATA)).astype(np.uint8)


def _six_bands(image: Raster) -> NDArray[np.uint8]:
    blue, green, red, nir, swir16, swir22 = (image.band(role) for role in REFLECTIVE)
    ndsi = (green - swir16) / (green + swir16)
    ndvi = (nir - red) / (nir + red)
    cloud = (swir22 > 0.03) & (ndsi < 0.8) & (ndvi < 0.8) & (_whiteness(image) < 0.7)
    cloud &= (blue - 0.5 * red > 0.08) & (nir > 0.75 * swir16) & (blue > 0.18)
    snow = (ndsi > 0.4) & (nir > 0.11) & (green > 0.1)
    shadow = (nir < 0.12) & (swir16 < 0.08) & (green <= nir)
    labels = np.where(shadow, Climate.SHADOW, Climate.CLEAR)
    labels = np.where(snow, Climate.SNOW, labels)
    labels = np.where(cloud & ~(snow & (ndsi > 0.6)), Climate.CLOUD, labels)
    return labels.astype(np.uint8)


def _visible(image: Raster) -> NDArray[np.uint8]:
    cloud = (image.band("blue") > 0.25) & (_whiteness(image) < 0.3)
    return np.where(cloud, Climate.CLOUD, Climate.CLEAR).astype(np.uint8)


def _whiteness(image: Raster) -> NDArray[np.float32]:
    """Mean absolute deviation of blue, green, red from their mean, over that mean (eq. 2)."""
    visible = np.stack([image.band(role) for role in VISIBLE])
    mean = visible.mean(axis=0)
    result: NDArray[np.float32] = (np.abs(visible - mean) / mean).sum(axis=0)
    return result


def mask(scene: Scene, grid: GeoBox, _: MaskSettings) -> Masked:
    """One window, from the scene's reflectance on `grid`."""
    roles = REFLECTIVE if set(REFLECTIVE) <= set(scene.roles) else VISIBLE
    return Masked(label(scene.read(roles, grid)), scene.quality(grid))


METHOD = mask
