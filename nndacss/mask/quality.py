"""The mask that the agency's quality bits already hold (CFMask), as climate codes.

Cloud over shadow over snow over clear. Bits say what CFMask decided; which two-bit confidence
counts in older collections, dilated cloud and cirrus are settings.
"""

from __future__ import annotations

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.labels.climate import Climate
from nndacss.mask.result import Masked
from nndacss.mask.settings import MaskSettings
from nndacss.readers.scene import Scene


def mask(scene: Scene, grid: GeoBox, settings: MaskSettings) -> Masked:
    """One window, by nearest neighbour from the scene's quality band."""
    flags = scene.quality_flags(grid, settings.confidence)
    bits = scene.quality(grid)
    if flags is None or bits is None:
        remedy = "use mask.method = spectral, or order the product with its quality band"
        expected = "a quality band (QA_PIXEL or BQA)"
        raise InputError(complain(scene.identity.name, "none", expected, remedy))
    cloud = flags.cloud
    if settings.cirrus:
        cloud = cloud | flags.cirrus
    if settings.dilated:
        cloud = cloud | flags.dilated
    labels = np.where(flags.snow, Climate.SNOW, Climate.CLEAR)
    labels = np.where(flags.shadow, Climate.SHADOW, labels)
    labels = np.where(cloud, Climate.CLOUD, labels)
    labels = np.where(flags.fill, Climate.NODATA, labels).astype(np.uint8)
    return Masked(labels, bits)


METHOD = mask
