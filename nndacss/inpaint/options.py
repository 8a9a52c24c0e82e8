"""Settings of the painter; light, for the scheduler's process."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nndacss.settings import Settings

Range = tuple[float, float]


class PaintSettings(Settings):
    """How often and what is painted into training samples; ranges are smallest and largest."""

    chance: float = Field(default=0.0, ge=0, le=1)
    """How often a sample is painted; 0: never, and no bank is needed."""
    bank: str = Field(default="", exclude=True)
    """File of the outlines, made by `python -m nndacss.inpaint.bank`; relative to the current
    directory. A place, so no part of a recipe."""
    bank_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    """Which bank: filled in when a fit is planned. A bank with another sum is refused."""
    datasets: tuple[str, ...] = ()
    """Data sets whose samples are painted; none named: all."""
    cover: Range = (0.02, 0.6)
    """Share of the patch that a layer covers; small shares are drawn as often as large ones."""
    second_chance: float = Field(default=0.25, ge=0, le=1)
    """How often a second layer is painted, at a height of its own."""
    high_chance: float = Field(default=0.25, ge=0, le=1)
    """How often a layer is high, not low."""
    low: Range = (500.0, 3000.0)
    """Height of low clouds above the ground, metres."""
    high: Range = (3000.0, 8000.0)
    """Height of high clouds, metres."""
    thin_chance: float = Field(default=0.3, ge=0, le=1)
    """How often a layer is thin: one sees the ground through all of it."""
    thick: Range = (5.0, 45.0)
    """Optical thickness that thick clouds come near to inside."""
    thin: Range = (0.7, 5.0)
    """That of thin clouds."""
    zoom: Range = (0.75, 2.0)
    """Magnification of the outlines: clouds look alike over a wide range of sizes."""
    elevation: Range = (22.0, 68.0)
    """Sun above the horizon, degrees, where a sample does not say; drawn once a patch."""
    snow_chance: float = Field(default=0.0, ge=0, le=1)
    """How often snow is painted below the clouds; needs outlines of snow in the bank."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("cover", "low", "high", "thick", "thin", "zoom", "elevation"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} must be two rising numbers above 0")
        if self.cover[1] > 1:
            raise ValueError("cover must be at most 1")
        if self.elevation[0] < 5 or self.elevation[1] > 90:
            raise ValueError("elevation must lie between 5 and 90 degrees")
        return self
