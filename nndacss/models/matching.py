"""Shadow by matching: what a card says of it. Light; the work is done in `shadow_match`.

All clouds of a small image cast their shadows the same way, and clouds of one height equally far.
Laid over the image at that offset, clouds lie where it is dark; at any other they lie on ground of
all kinds. So the offset shows in the image itself, and tells shadow from dark ground where contrast
alone cannot. Fmask looks for it cloud by cloud along the sun's azimuth (Zhu and Woodcock 2012,
doi:10.1016/j.rse.2011.10.028); here no angle is needed.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nndacss.settings import Settings


class Matching(Settings):
    """How a match of clouds and dark ground moves the odds of shadow against clear ground.

    A part of `Darkness`, whose contrast it takes for darkness. Lengths are in working pixels.
    First guesses but for `most` (2 and 3 gained less) and `sure` (from 1 on, one chip's false match
    counted). Of the others `reach` alone is sharp: 50 and 100 cost 0.06 and 0.08 of the IoU of
    shadow in one data set each by a false match; half or twice as much of the rest up to 0.05.
    """

    reach: int = Field(default=70, ge=8)
    """Largest offset: 2.1 km in Landsat, a cloud at 2.1 km under a sun at 45 degrees."""
    nearest: int = Field(default=5, ge=1)
    """Smallest: what lies beside a cloud is dark or bright for other reasons."""
    sure: tuple[float, float] = (1.5, 3.0)
    """How far the best offset must stand out of all, in their robust standard deviations, to count,
    and to count in full."""
    deep: float = Field(default=0.1, gt=0)
    """Mean contrast under clouds at the best offset, above that at others, to count in full."""
    alike: float = Field(default=0.7, gt=0, le=1)
    """Offsets in the same direction with so much of the best one's contrast are of other clouds."""
    dark: tuple[float, float] = (0.0, 0.1)
    """A pixel's own contrast from which it may be shadow, and from which in full."""
    most: float = Field(default=4.0, ge=0)
    """Largest change of the log-odds, where a shadow is cast."""
    least: float = Field(default=-1.0, le=0)
    """Smallest, where none is, and the cloud that would cast it lies within the tile."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("sure", "dark"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} must be two numbers, the second larger")
        if self.nearest >= self.reach:
            raise ValueError("nearest must be less than reach")
        return self
