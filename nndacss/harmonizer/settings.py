"""Settings of a harmonizer's fit: section `[harmonizer]`, its tables `augment` and `loss`."""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from nndacss.models.detail import CELL, DetailArchitecture
from nndacss.models.harmonizer_card import DeepArchitecture
from nndacss.settings import Settings
from nndacss.train.fit_settings import FitSettings

VERSION = 1

Architecture = DetailArchitecture | DeepArchitecture
_KINDS: Mapping[str, type[DetailArchitecture] | type[DeepArchitecture]] = {
    "detail": DetailArchitecture,
    "deep_harmonization": DeepArchitecture,
}
#: Reflectance, blue ... swir22: mean absolute difference between Sentinel-2 and the spectral step
#: of Landsat brought to 10 m, rounded: between those of simulated pairs and of degraded real chips.
TYPICAL = (0.005, 0.005, 0.006, 0.010, 0.006, 0.005)


class AugmentSettings(Settings):
    """How a pair is varied. Radiometry is the task itself, so that only pan's is."""

    flip: bool = True
    """One of the eight turns and mirrorings of the square."""
    drop_pan_chance: float = Field(default=0.1, ge=0, le=1)
    """Leave out pan."""
    pan_gain: float = Field(default=0.03, ge=0, lt=1)
    """Largest relative gain of pan: transmittance of the air, calibration."""
    pan_offset: float = Field(default=0.01, ge=0)
    """Largest offset of pan, reflectance: path radiance, of which surface reflectance is free."""
    wedge_chance: float = Field(default=0.1, ge=0, le=1)
    """Make one side of a slanted line missing in the input, as at the border of a scene."""
    wedge: float = Field(default=0.5, ge=0, le=1)
    """Largest distance of that line from the border, in half widths of the pair."""


class LossSettings(Settings):
    """What is minimised, see `nndacss.harmonizer.losses`. All in units of `scale`."""

    distance: Literal["l1", "charbonnier"] = "l1"
    """Of the mean: absolute difference, or the same rounded off below 0.001 reflectance."""
    scale: tuple[float, float, float, float, float, float] = TYPICAL
    """Reflectance that counts as 1, blue ... swir22, so that all bands count alike."""
    gradient: float = Field(default=0.2, ge=0)
    """Weight of the same difference between neighbouring pixels: sharpness."""
    consistency: float = Field(default=0.1, ge=0)
    """Weight of the difference between input and result as Landsat would see it."""
    spread: float = Field(default=1.0, ge=0)
    """Weight of the standard deviation's likelihood; only where the network states one."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if min(self.scale) <= 0:
            raise ValueError("scale must be above 0")
        return self


class HarmonizerSettings(FitSettings):
    """One fit of a harmonizer to pairs."""

    SECTION = "harmonizer"
    family: Literal["detail", "deep_harmonization"] = "detail"
    """Our own small network, or one of the published U-Nets."""
    architecture: Mapping[str, Any] = {}
    """Its size: `width`, `blocks` of `detail`; `depth`, `up` of `deep_harmonization`."""
    target: Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"] = "sentinel-2a"
    """Whose bands the pairs' targets are, or were brought to."""
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    crop: int = Field(default=96, ge=12)
    """Side of a training window, 10 m pixels, drawn from within the pair; a multiple of 6, and
    of 16 or 32 for U-Nets of depth 5 or 6."""
    monitor: float = Field(default=0.1, ge=0, lt=1)
    """Share of the scenes of each data set that is kept out: it watches the fit and calibrates
    the standard deviations."""
    split_seed: int = Field(default=0, ge=0)
    """Which scenes those are: not the fit's seed, so that several seeds share them."""
    best_by: Literal["l1", "loss"] = "l1"
    """Lowest mean absolute error, or lowest loss, of the monitoring scenes."""
    purpose: str = "Landsat-8/9 surface reflectance as Sentinel-2 would see it, 10 m"
    workers: int = Field(default=0, ge=0)
    """Processes that load and augment; changes no result. Loading is a few per cent of a step on
    the processor."""

    @property
    def built(self) -> Architecture:
        """The architecture, typed and whole; ValueError where it is none of the family."""
        known = _KINDS[self.family]
        own = {"target": self.target} if self.family == "detail" else {}
        try:
            built = known.model_validate(own | dict(self.architecture))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            fields = ", ".join(known.model_fields)
            raise ValueError(
                f"architecture of {self.family}, {key}: {first['msg']} (it has {fields})"
            ) from error
        if isinstance(built, DetailArchitecture) and built.target != self.target:
            raise ValueError(f"architecture.target must be target = {self.target!r}")
        return built

    def decisive(self) -> dict[str, Any]:
        """With all values of the architecture: a recipe must not depend on a network's defaults."""
        return self.changed() | {"architecture": self.built.model_dump(mode="json")}

    @property
    def multiple(self) -> int:
        """Sides of windows are multiples of it: whole cells or levels, and whole 20 m pixels."""
        built = self.built
        return lcm(CELL, 2) if isinstance(built, DetailArchitecture) else 2 ** (built.depth - 1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crop % self.multiple:
            raise ValueError(f"crop must be a multiple of {self.multiple} for this network")
        return self


SETTINGS = HarmonizerSettings
