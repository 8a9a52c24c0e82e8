"""Shadow by matching: the offset at which clouds lie over dark ground, and what it says.

The mean contrast under the clouds of a tile, at all offsets at once by Fourier transforms. Shadows
lie west of their clouds: Landsat and Sentinel-2 pass in the morning, and images are north up. Where
no offset stands out nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from nndacss.models.matching import Matching
from nndacss.raster import Pixels

Plane = NDArray[np.float32]

#: Contrast is cut to these, so that a lake does not outweigh all else.
_LIMITS = (-0.3, 0.5)
#: Pixels of cloud and of ground, and offsets, below which nothing is said.
_FEWEST_CLOUD, _FEWEST_GROUND, _FEWEST_OFFSETS = 30, 100, 500
#: Share of the clouds that an offset must lay on ground that is seen.
_SEEN = 0.15
#: Offsets along the best direction that are looked at, times the best.
_NEARER, _FARTHER = 0.3, 2.0
#: A Gaussian's standard deviation by the median of absolute values.
_ROBUST = 1.4826
#: Pixels over which the outline of what is cast is uncertain.
_BLUR = 1.0


@dataclass(frozen=True)
class Offset:
    """Where shadows lie from their clouds."""

    down: int
    across: int
    strength: float
    """0..1: how much it counts."""
    steps: tuple[tuple[int, int], ...]
    """Offsets of clouds of other heights, too: (down, across)."""


def matched(cloud: NDArray[np.bool_], contrast: Pixels, matching: Matching) -> Plane:
    """(rows, columns) log-odds of shadow against clear ground, 0 where there is nothing to say.

    `cloud` (rows, columns) is the mask of clouds, `contrast` the logarithm of how much darker a
    pixel is than sunlit ground around it, NaN where unknown.
    """
    nothing = np.zeros(cloud.shape, dtype=np.float32)
    offset = found(cloud, contrast, matching)
    if offset is None:
        return nothing
    hit = nothing.copy()
    for down, across in offset.steps:
        np.maximum(hit, _shifted(cloud, down, across), out=hit)
    hit = 2 * ndimage.gaussian_filter(hit, _BLUR) - 1
    # from beyond the tile's edge shadows may come, too
    known = _shifted(np.ones_like(cloud), offset.down, offset.across)
    low, high = matching.dark
    dark = np.clip((np.nan_to_num(contrast, nan=low) - low) / (high - low), 0, 1)
    evidence: Plane = np.where(hit > 0, matching.most * dark, -matching.least * known) * hit
    return (offset.strength * evidence).astype(np.float32)


def found(cloud: NDArray[np.bool_], contrast: Pixels, matching: Matching) -> Offset | None:
    """The offset at which clouds lie over the darkest ground; none where none stands out."""
    # the rim of a cloud is neither
    ground = np.isfinite(contrast) & ~ndimage.binary_dilation(cloud)
    if cloud.sum() < _FEWEST_CLOUD or ground.sum() < _FEWEST_GROUND:
        return None
    reach = matching.reach
    mean, seen = _under(cloud, np.clip(np.nan_to_num(contrast), *_LIMITS), ground, reach)
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    length = np.hypot(down, across)
    asked = (length >= matching.nearest) & (length <= reach) & (across <= 0) & (seen > _SEEN)
    if asked.sum() < _FEWEST_OFFSETS:
        return None
    above = np.where(asked, mean - np.median(mean[asked]), -np.inf)
    best = np.unravel_index(above.argmax(), above.shape)
    top = float(above[best])
    noise = _ROBUST * float(np.median(np.abs(above[asked])))
    low, high = matching.sure
    stands_out = np.clip((top / max(noise, 1e-3) - low) / (high - low), 0, 1)
    strength = float(stands_out * np.clip(top / matching.deep, 0, 1))
    if strength <= 0:
        return None
    far = float(length[best])
    y, x = int(down[best]), int(across[best])
    times = np.arange(max(matching.nearest, _NEARER * far), min(reach, _FARTHER * far) + 0.5) / far
    steps = {(round(y * time), round(x * time)) for time in times} | {(y, x)}
    kept = (step for step in steps if _at(above, step, reach) >= matching.alike * top)
    return Offset(y, x, strength, tuple(sorted(kept)))


def _under(
    cloud: NDArray[np.bool_], contrast: Pixels, ground: NDArray[np.bool_], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean contrast of the ground under shifted clouds, and the share of them that lies on it.

    Both (2 reach + 1, 2 reach + 1), for offsets from -reach to reach down and across.
    """
    size = [fft.next_fast_len(side + reach, real=True) for side in cloud.shape]
    clouds = np.conj(fft.rfft2(cloud.astype(np.float64), size))
    near = np.arange(-reach, reach + 1)

    def total(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        whole: NDArray[np.float64] = fft.irfft2(clouds * fft.rfft2(plane, size), size)
        return whole[np.ix_(near, near)]

    area = total(ground.astype(np.float64))
    mean = total(np.where(ground, contrast, 0).astype(np.float64)) / np.maximum(area, 1e-3)
    return mean, area / cloud.sum()


def _at(above: NDArray[np.float64], step: tuple[int, int], reach: int) -> float:
    """Contrast at one offset; the table need not hold it."""
    down, across = (part + reach for part in step)
    inside = 0 <= down < len(above) and 0 <= across < len(above)
    return float(above[down, across]) if inside else -np.inf


def _shifted(plane: NDArray[np.bool_], down: int, across: int) -> Plane:
    """The same moved by so many pixels, 0 where nothing comes from."""
    rows, columns = plane.shape
    result = np.zeros(plane.shape, dtype=np.float32)
    if abs(down) < rows and abs(across) < columns:
        to = (
            slice(max(down, 0), rows + min(down, 0)),
            slice(max(across, 0), columns + min(across, 0)),
        )
        of = (
            slice(max(-down, 0), rows - max(down, 0)),
            slice(max(-across, 0), columns - max(across, 0)),
        )
        result[to] = plane[of]
    return result
