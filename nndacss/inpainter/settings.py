"""Settings of an inpainting network's fit: section `[inpainter]`, its tables `hide`, `loss`, ..."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nndacss.models.inpainter_card import Structure
from nndacss.models.segmentation import MULTIPLE, Architecture, Scaling
from nndacss.settings import Settings
from nndacss.train.fit_settings import FitSettings

VERSION = 1

#: Offset and spread a role: near the mean and the scatter of top-of-atmosphere reflectance over
#: land and cloud together, rounded; fixed, so that weights and not data carry the meaning.
DEFAULT_SCALING = Scaling(
    offset={
        "coastal": 0.2, "blue": 0.2, "green": 0.2, "red": 0.2, "nir": 0.3, "nir08": 0.3,
        "swir16": 0.2, "swir22": 0.15, "cirrus": 0.02, "pan": 0.2, "rededge071": 0.2,
        "rededge075": 0.25, "rededge078": 0.3, "nir09": 0.2,
    },
    spread={
        "coastal": 0.2, "blue": 0.2, "green": 0.2, "red": 0.2, "nir": 0.2, "nir08": 0.2,
        "swir16": 0.15, "swir22": 0.15, "cirrus": 0.05, "pan": 0.2, "rededge071": 0.2,
        "rededge075": 0.2, "rededge078": 0.2, "nir09": 0.2,
    },
)  # fmt: skip


class HideSettings(Settings):
    """What is hidden of a sample."""

    least: float = Field(default=0.005, gt=0, le=1)
    """Share of a sample's pixels that are the structure and nothing else, from which on it is
    used."""
    largest: float = Field(default=0.6, gt=0, lt=1)
    """Share of a window that is hidden at most: beyond it one side of the structure stays
    visible."""
    part_chance: float = Field(default=0.3, ge=0, le=1)
    """How often only the part on one side of a slanted line is hidden, so that the network also
    learns to carry on what it sees."""
    margin: int = Field(default=1, ge=0, le=8)
    """Pixels around the structure that are hidden with it: soft edges would betray it."""


class AugmentSettings(Settings):
    """How a window is varied."""

    flip: bool = True
    """One of the eight turns and mirrorings of the square."""
    brightness: float = Field(default=0.1, ge=0, lt=1)
    """Largest relative gain common to all bands: sun angle that was not allowed for."""
    gain: float = Field(default=0.03, ge=0, lt=1)
    """Largest relative gain of each band: calibration and band response."""
    drop_chance: float = Field(default=0.2, ge=0, le=1)
    """Leave out some bands, at most half of them: the network then serves images without them."""


class LossSettings(Settings):
    """What is minimised, see `nndacss.inpainter.losses`."""

    second: Literal["gradient", "whole"] = "gradient"
    """Beside the difference inside the hole: that of neighbouring pixels there and at its border,
    or that of the whole image."""
    weight: float = Field(default=0.5, ge=0)
    """Of the second loss; 0: the first alone."""


class InpainterSettings(FitSettings):
    """One fit of an inpainting network to a sample store."""

    SECTION = "inpainter"
    structure: Structure = "cloud"
    """What it restores: cloud, shadow or snow."""
    architecture: Architecture = Architecture(
        encoder="tu-mobilenetv3_small_100", decoder_channels=(48, 32, 24, 16, 16)
    )
    scaling: Scaling = DEFAULT_SCALING
    hide: HideSettings = HideSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    crop: int = Field(default=128, ge=32)
    """Side of a training window, a multiple of 32, laid over the structure."""
    settle: float = Field(default=0.5, ge=0, le=1)
    """Share of the epochs, the last ones, in which batch norms keep the averages they have. Holes
    differ so much that a batch's own statistics are no guide to one patch: what is trained must
    be what will run."""
    monitor: float = Field(default=0.15, ge=0, lt=1)
    """Share of the scenes of each data set that is kept out to watch the fit."""
    split_seed: int = Field(default=0, ge=0)
    """Which scenes those are: not the fit's seed, so that several seeds share them."""
    best_by: Literal["l1", "loss"] = "l1"
    """Lowest mean absolute error in the hole, or lowest loss, on the monitoring scenes."""
    workers: int = Field(default=0, ge=0)
    """Processes that load and vary; changes no result."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.crop % MULTIPLE:
            raise ValueError(f"crop must be a multiple of {MULTIPLE}")
        return self


SETTINGS = InpainterSettings
