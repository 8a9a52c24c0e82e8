"""The mask that the agency's quality band already holds (CFMask, Sen2Cor), as climate codes.

Cloud over shadow over snow over clear. Landsat's bits say what CFMask decided, Sentinel-2's scene
classification (Level 2A) what Sen2Cor did; which confidence counts, dilated cloud and cirrus are
settings, as far as the product has them (`nndacss.readers.<reader>.quality`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.labels.climate import Climate
from nndacss.mask.result import Masked
from nndacss.mask.settings import MaskSettings
from nndacss.readers.scene import Scene


def class_table(scene: Scene, settings: MaskSettings) -> NDArray[np.uint8]:
    """(65536,) the climate code of every code that a quality band can hold."""
    flags = scene.decode_quality(np.arange(1 << 16, dtype=np.uint16), settings.confidence)
    cloud = flags.cloud
    if settings.cirrus:
        cloud = cloud | flags.cirrus
    if settings.dilated:
        cloud = cloud | flags.dilated
    labels = np.where(flags.snow, Climate.SNOW, Climate.CLEAR)
    labels = np.where(flags.shadow, Climate.SHADOW, labels)
    labels = np.where(cloud, Climate.CLOUD, labels)
    return np.where(flags.fill, Climate.NODATA, labels).astype(np.uint8)


def mask(scene: Scene, grid: GeoBox, settings: MaskSettings) -> Masked:
    """One window, by nearest neighbour from the scene's quality band."""
    bits = scene.quality(grid)
    if bits is None:
        remedy = "use mask.method = spectral, or order the product with its quality band"
        expected = f"a quality band ({scene.quality_name})"
        raise InputError(complain(scene.identity.name, "none", expected, remedy))
    return Masked(class_table(scene, settings)[bits], bits)


METHOD = mask
