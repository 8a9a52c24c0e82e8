"""Settings of harmonization: section `[harmonize]`."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from nndacss.sensors import REFLECTIVE
from nndacss.settings import Settings

VERSION = 1


class HarmonizeSettings(Settings):
    """How Landsat bands become Sentinel-2-like bands at 10 m. Sentinel-2's are only resampled."""

    method: str = "bandpass"
    """A module of `nndacss.harmonize`."""
    target: Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"] = "sentinel-2a"
    """Whose band responses the result imitates. No Sentinel-2 scene is adjusted to another one."""
    roles: tuple[str, ...] = REFLECTIVE
    """Bands of the product, in order; fewer where the scene lacks some."""
    sharpen: bool = True
    """Whether the pan band, where there is one, brings detail below 30 m."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [role for role in roles if role not in REFLECTIVE]
        if unknown or not roles or len(set(roles)) != len(roles):
            raise ValueError(f"distinct roles out of {', '.join(REFLECTIVE)}")
        return roles


SETTINGS = HarmonizeSettings
