"""Settings of harmonization: section `[harmonize]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from nndacss.sensors import REFLECTIVE
from nndacss.settings import Settings

VERSION = 2

#: The harmonizer that comes with the package.
DEFAULT_WEIGHTS = ("harmonizer_detail_v1",)


class HarmonizeSettings(Settings):
    """How Landsat bands become Sentinel-2-like bands at 10 m. Sentinel-2's are only resampled."""

    method: str = "auto"
    """A module of `nndacss.harmonize`, or `auto`: `deep` where its weights are installed and suit
    scene and settings (Landsat surface reflectance, all six bands, their target), else
    `bandpass`."""
    target: Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"] = "sentinel-2a"
    """Whose band responses the result imitates. No Sentinel-2 scene is adjusted to another one."""
    roles: tuple[str, ...] = REFLECTIVE
    """Bands of the product, in order; fewer where the scene lacks some."""
    sharpen: bool = True
    """Whether the pan band, where there is one, brings detail below 30 m."""
    weights: tuple[str, ...] = DEFAULT_WEIGHTS
    """For `deep`: names in `checkpoints/`, or paths of cards; several are an ensemble. Their
    sha256 is identity."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """For `deep`: what the networks compute in; `auto` is bfloat16 for our own, float32 for the
    published. A processor without bfloat16 takes float32 for it, which differs by 0.0001 RMSE."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    """For `deep`; `auto` takes a CUDA card where there is one. Never enters a recipe."""
    force_toa: bool = False
    """For `deep` when asked for: take top-of-atmosphere reflectance too, which its networks never
    saw. `auto` stays with `bandpass` there."""
    uncertainty: bool = True
    """For `deep`: whether the standard deviation of each band is kept."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [role for role in roles if role not in REFLECTIVE]
        if unknown or not roles or len(set(roles)) != len(roles):
            raise ValueError(f"distinct roles out of {', '.join(REFLECTIVE)}")
        return roles

    @field_validator("weights")
    @classmethod
    def _members(cls, weights: tuple[str, ...]) -> tuple[str, ...]:
        if not weights or len(set(weights)) != len(weights):
            raise ValueError("one or more names, each once")
        return weights


SETTINGS = HarmonizeSettings
