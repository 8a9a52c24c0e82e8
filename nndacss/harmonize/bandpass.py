"""Bandpass adjustment: published linear coefficients per band, and pan-informed sharpening.

The radiometry is that of HLS and sen2like: per band OLI = slope * MSI + offset, so that the
Sentinel-2-like value is (OLI - offset) / slope.

A Sentinel-2 scene is resampled and nothing else: its bands are the target's own. (The small
differences between 2A, 2B and 2C are left in.)

Coefficients: Sentinel-2A and 2B from Claverie et al. 2018 (HLS, Remote Sens. Environ. 219),
table 5 and the HLS v2.0 user guide; Sentinel-2C from the HLS v2.0 user guide, as sen2like ships
them. They were fitted to surface reflectance; on TOA they are applied just the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.harmonize.pan import sharpen
from nndacss.harmonize.result import BANDPASS, NO_PAN, OWN, Harmonized
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene

_S2A = {
    "coastal": (0.9959, -0.0002),
    "blue": (0.9778, -0.0040),
    "green": (1.0053, -0.0009),
    "red": (0.9765, 0.0009),
    "nir08": (0.9983, -0.0001),
    "swir16": (0.9987, -0.0011),
    "swir22": (1.0030, -0.0012),
}
#: target -> role -> (slope, offset) of OLI = slope * MSI + offset. HLS gives no other value for
#: the coastal and blue bands of 2B than for 2A.
COEFFICIENTS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "sentinel-2a": _S2A,
    "sentinel-2b": {
        **_S2A,
        "green": (1.0075, -0.0008),
        "red": (0.9761, 0.0010),
        "nir08": (0.9966, 0.0),
        "swir16": (1.0, -0.0003),
        "swir22": (0.9867, 0.0004),
    },
    "sentinel-2c": {
        "coastal": (1.003, 0.0),
        "blue": (0.9851, -0.0027),
        "green": (1.0038, -0.0009),
        "red": (0.9718, 0.0011),
        "nir08": (0.9995, -0.0003),
        "swir16": (0.9994, -0.0007),
        "swir22": (0.991, 0.0004),
    },
}


def adjust(pixels: Pixels, roles: tuple[str, ...], target: str) -> Pixels:
    """OLI reflectance (bands, rows, columns) to the target's band responses; NaN stays NaN."""
    slopes, offsets = zip(*(COEFFICIENTS[target][role] for role in roles), strict=True)
    slope = np.array(slopes, dtype=np.float32)[:, None, None]
    offset = np.array(offsets, dtype=np.float32)[:, None, None]
    result: Pixels = (pixels - offset) / slope
    return result


def is_own(scene: Scene, target: str) -> bool:
    """Whether the scene's bands are the target's, so that there is nothing to adjust."""
    return target in scene.sensor.platforms


def coefficients(scene: Scene, target: str) -> Mapping[str, tuple[float, float]]:
    """Role -> (slope, offset) that `harmonize` takes out: scene = slope * product + offset."""
    if is_own(scene, target):
        return dict.fromkeys(scene.roles, (1.0, 0.0))
    return COEFFICIENTS[target]


def harmonize(scene: Scene, grid: GeoBox, settings: HarmonizeSettings) -> Harmonized:
    """One window: bands warped once, sharpened by pan where there is pan, then adjusted."""
    roles = settings.roles
    if settings.sharpen and "pan" in scene.roles:
        pixels, sharpened = sharpen(scene, roles, grid)
    else:
        pixels = scene.read(roles, grid).pixels
        sharpened = np.zeros(grid.shape, dtype=np.bool_)
    source = np.full(grid.shape, OWN, dtype=np.uint8)
    if not is_own(scene, settings.target):
        pixels = adjust(pixels, roles, settings.target)
        source = np.where(sharpened, BANDPASS, BANDPASS | NO_PAN).astype(np.uint8)
    return Harmonized(pixels, source)


METHOD = harmonize
