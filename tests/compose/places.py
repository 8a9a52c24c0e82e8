"""Small places as both images show them."""

import numpy as np
from scipy.ndimage import gaussian_filter

from nndacss.compose.views import Views


def texture(rng, shape, scale):
    """(6, *shape) reflectance between 0.05 and about 0.65, smooth over `scale` pixels."""
    noise = gaussian_filter(rng.standard_normal((6, *shape)), (0, scale, scale), mode="wrap")
    return (0.35 + 0.1 * noise / noise.std()).astype(np.float32)


def place(shape=(48, 56), seed=0, nodata=False, **changes):
    """A cloud, its shadow and some snow; Landsat brighter, smoother and slightly different.

    With `nodata`: a corner that Landsat lacks, a strip without label, a hole in the harmonized
    image; values lie below all of them.
    """
    rng = np.random.default_rng(seed)
    rows, columns = shape
    common = texture(rng, shape, 3)
    harmonized = common + 0.05 * (texture(rng, shape, 1) - 0.35)
    landsat = 1.2 * common + 0.05 + 0.1 * (texture(rng, shape, 4) - 0.35)
    labels = np.zeros(shape, dtype=np.uint8)
    labels[rows // 8 : rows // 2, columns // 6 : columns // 2] = 3
    labels[rows // 2 : rows * 3 // 4, columns // 2 : columns * 3 // 4] = 1
    labels[-rows // 8 :, : columns // 4] = 2
    if nodata:
        landsat[3, : rows // 4, : columns // 4] = np.nan
        labels[:, -3:] = 255
        harmonized[2, rows // 2 :, columns // 3 : columns // 2] = np.nan
    arguments = {"landsat": landsat, "harmonized": harmonized, "labels": labels} | changes
    return Views(**arguments)
