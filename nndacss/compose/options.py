"""Options of composition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from nndacss.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]
Beta = Annotated[float, Field(ge=0, le=0.5)]
Class = Literal["clear", "shadow", "snow", "cloud"]


class FourierOptions(Settings):
    """Fourier domain adaptation: how low the frequencies are that come from Landsat.

    The mean (frequency 0) always does.
    """

    by: Literal["cutoff", "beta"] = "cutoff"
    """`cutoff`: in metres, block by block on a lattice, the same for any window. `beta`: as
    published, a share of the image's shorter side, in one transform of the whole image."""
    cutoff: float = Field(default=200.0, gt=0)
    """Wavelength in metres: what is longer gets Landsat's amplitude. 200 m is beta 0.05 at 10 m."""
    cutoff_limit: float = Field(default=100.0, gt=0)
    """In training the frequency is drawn evenly from 0 to 1 / `cutoff_limit`."""
    beta: Beta = 0.05
    """The square of frequencies has floor(shorter side * beta) on each side of its centre."""
    beta_limit: Beta = 0.1
    """In training beta is drawn evenly from 0 to this; published."""
    block: float = Field(default=1280.0, gt=0)
    """For `cutoff`: side of a block, metres; six times the cut-off or more."""
    mirror: float = Field(default=0.0, ge=0)
    """For `beta`: metres by which the image is mirrored at its edges before the transform."""


class HistogramOptions(Settings):
    """Histogram matching."""

    over: tuple[Class, ...] = Field(default=("clear", "shadow", "snow", "cloud"), min_length=1)
    """Classes whose pixels the two histograms count."""
    blend: Share = 0.75
    """Share of the matched image, the rest is the harmonized one."""
    blend_limits: tuple[Share, Share] = (0.5, 1.0)
    """In training the share is drawn evenly between these; published."""

    @field_validator("blend_limits")
    @classmethod
    def _ordered(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] > limits[1]:
            raise ValueError("the smaller one first")
        return limits


class MixChannelsOptions(Settings):
    """Mixtures of the two images, without regard to what they show.

    Without a generator, each gives the mean of what it would draw.
    """

    kind: Literal["original", "linear", "pixel"] = "original"
    """`original`: some bands are Landsat's. `linear`: each band is a mixture by a share of its own.
    `pixel`: each pixel of each band is one or the other."""
    most: int = Field(default=4, ge=1, le=6)
    """For `original`: 1 to so many bands are Landsat's, each number as likely; published."""
    ratio: Share = 0.1
    """For `pixel`: the share of pixels that stay *harmonized*; published."""


class ComposeOptions(Settings):
    """How a Landsat image at 10 m and its harmonized image become one."""

    method: str = "by_class"
    """A module of `nndacss.compose`."""
    adapted: str = "fourier"
    """For `by_class`: the module that makes what goes into `classes`."""
    classes: tuple[Class, ...] = Field(default=("shadow", "cloud"), min_length=1)
    """For `by_class`: classes that are taken from the adapted image."""
    feather: float = Field(default=0.0, ge=0)
    """For `by_class`: metres beyond these classes over which the adapted image fades out."""
    fourier: FourierOptions = FourierOptions()
    histogram: HistogramOptions = HistogramOptions()
    mix_channels: MixChannelsOptions = MixChannelsOptions()

    @field_validator("adapted")
    @classmethod
    def _no_recursion(cls, name: str) -> str:
        if name == "by_class":
            raise ValueError("another method than by_class itself")
        return name
