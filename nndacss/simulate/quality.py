"""Truth labels, and the quality bits the agency would have written had it known the truth.

Collection-2 QA_PIXEL (USGS LSDS-1619, table 6-2): bit 0 fill, 1 dilated cloud, 2 cirrus, 3 cloud,
4 cloud shadow, 5 snow, 6 clear (neither cloud nor dilated cloud), 7 water, then four confidences
of two bits (1 low, 2 medium, 3 high): cloud 8, shadow 10, snow 12, cirrus 14.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.atmosphere import beam
from nndacss.simulate.noise import Field
from nndacss.simulate.sky import CLOUD_THICKNESS, SHADOW_LOSS

Mask = NDArray[np.bool_]

CLEAR, SHADOW, SNOW, CLOUD, FILL = 0, 1, 2, 3, 255

#: Cloud of less optical thickness than this is thin.
THIN = 2.0

#: Pixels around clouds that count as dilated cloud.
REACH = 3

#: High cloud of at least this optical thickness is flagged as cirrus: less than what the truth
#: calls cloud (0.3), since the cirrus band sees thin veils well.
_CIRRUS_THICKNESS = 0.2


@dataclass(frozen=True)
class Truth:
    """What is there, per 30 m pixel; all (rows, columns)."""

    cloud: Mask
    likely: Mask
    """Thin cloud, of half the thickness that counts, or more."""
    near: Mask
    """Not cloud, but within `REACH` pixels of one."""
    cirrus: Mask
    shadow: Mask
    snow: Mask
    """Also below clouds and in shadows."""
    water: Mask
    """Likewise."""
    fill: Mask

    def labels(self) -> NDArray[np.uint8]:
        """The truth as labels, see `ranked`."""
        return ranked(self.cloud, self.shadow, self.snow, self.fill)

    def pixel_bits(self) -> NDArray[np.uint16]:
        """QA_PIXEL; fill is 1."""
        seen = ~self.cloud
        flags = (
            (1, self.near),
            (2, self.cirrus),
            (3, self.cloud),
            (4, self.shadow & seen),
            (5, self.snow & seen),
            (6, ~(self.cloud | self.near)),
            (7, self.water & seen),
        )
        bits = np.zeros(self.cloud.shape, dtype=np.uint16)
        for bit, flag in flags:
            bits |= flag.astype(np.uint16) << np.uint16(bit)
        cloud = np.where(self.cloud, 3, np.where(self.likely | self.near, 2, 1))
        bits |= cloud.astype(np.uint16) << np.uint16(8)
        for bit, flag in ((10, self.shadow & seen), (12, self.snow & seen), (14, self.cirrus)):
            bits |= np.where(flag, 3, 1).astype(np.uint16) << np.uint16(bit)
        return np.where(self.fill, np.uint16(1), bits)

    def aerosol_bits(self) -> NDArray[np.uint8]:
        """SR_QA_AEROSOL: bit 0 fill, 1 valid, 2 water, 5 interpolated, 6-7 level (1 low)."""
        spoiled = self.cloud | self.near
        bits = np.where(spoiled, (1 << 5) | (3 << 6), (1 << 1) | (1 << 6))
        bits = bits | (self.water.astype(np.int64) << 2)
        return np.where(self.fill, 1, bits).astype(np.uint8)


def ranked(cloud: Mask, shadow: Mask, snow: Mask, fill: Mask) -> NDArray[np.uint8]:
    """0 clear, 1 shadow, 2 snow, 3 cloud, 255 fill; cloud over shadow over snow."""
    chosen = np.select([fill, cloud, shadow, snow], [FILL, CLOUD, SHADOW, SNOW], CLEAR)
    return chosen.astype(np.uint8)


def labels(
    thickness: Field,
    slant: Field,
    snow: Mask,
    fill: Mask,
    *,
    cloud: float = CLOUD_THICKNESS,
    loss: float = SHADOW_LOSS,
) -> NDArray[np.uint8]:
    """The truth: (rows, columns) labels out of what is there.

    `thickness` is the clouds' optical thickness at 0.55 um before the pixel: cloud from `cloud` on
    (thin below `THIN`). `slant` is their thickness along the sun's beam to the ground: shadow where
    the beam loses at least the share `loss`. `snow` is of the ground without sky.
    """
    return ranked(thickness >= cloud, 1 - beam(slant) >= loss, snow, fill)


def truth(low: Field, high: Field, slant: Field, snow: Mask, water: Mask, fill: Mask) -> Truth:
    """The truth of a window out of optical thicknesses.

    `low` and `high` (cloud overhead) have `REACH` pixels more on every side than the others,
    so that a cloud beyond the window's border is dilated into it.
    """
    thickness = low + high
    cloud = thickness >= CLOUD_THICKNESS
    inner = (slice(REACH, -REACH), slice(REACH, -REACH))
    wide = np.zeros_like(cloud[inner])
    for down in range(2 * REACH + 1):
        for right in range(2 * REACH + 1):
            if (down - REACH) ** 2 + (right - REACH) ** 2 <= REACH**2 + 1:
                wide |= cloud[down : down + wide.shape[0], right : right + wide.shape[1]]
    return Truth(
        cloud=cloud[inner],
        likely=thickness[inner] >= CLOUD_THICKNESS / 2,
        near=wide & ~cloud[inner],
        cirrus=high[inner] >= _CIRRUS_THICKNESS,
        shadow=1 - beam(slant) >= SHADOW_LOSS,
        snow=snow,
        water=water,
        fill=fill,
    )


def snow_and_water(green: Field, nir: Field, swir: Field) -> tuple[Mask, Mask]:
    """Snow and open water from the clear surface itself, so for any ground.

    Snow: NDSI >= 0.4 and nir >= 0.11 (Dozier 1989; Hall et al. 1995) and green >= 0.25. Water:
    green above nir above swir, all dark.
    """
    snow = (green - swir >= np.float32(0.4) * (green + swir)) & (nir >= 0.11) & (green >= 0.25)
    water = (nir < 0.05) & (green > nir) & (swir < nir + np.float32(0.005)) & ~snow
    return snow, water
