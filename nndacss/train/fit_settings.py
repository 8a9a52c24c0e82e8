"""Settings that every fit has, whatever it fits; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nndacss.settings import Settings

#: Fields that name a machine's means, not the result: they stay out of the recipe.
MACHINE = frozenset({"workers", "device"})


class FitSettings(Settings):
    """How long, how fast, from which start, on which means."""

    SECTION: ClassVar[str]
    """Of the settings file, for messages."""
    epochs: int = Field(default=30, ge=1)
    samples_per_epoch: int = Field(default=0, ge=0)
    """Draws an epoch, rounded up to whole batches; 0: as many as there are training samples."""
    share: Mapping[str, float] = {}
    """Data set -> share of the draws; data sets not named share the rest by their size."""
    batch: int = Field(default=8, ge=2)
    rate: float = Field(default=1e-3, gt=0)
    """Largest learning rate of AdamW."""
    decay: float = Field(default=0.01, ge=0)
    """Its weight decay."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps in which the rate rises from 0; then it falls to 0 as a cosine."""
    average: float = Field(default=0.99, ge=0, lt=1)
    """Decay a step of the moving average of weights that is validated and exported; 0: none."""
    clip_gradient: float = Field(default=1.0, ge=0)
    """Largest norm of the gradient; 0: no limit."""
    seed: int = Field(default=0, ge=0)
    monitor: float = Field(default=0.05, ge=0, lt=1)
    """Share of the scenes of each data set that is kept out to watch the fit."""
    keep: Literal["last", "best"] = "last"
    """Weights to export: of the last epoch, or of the best on the monitoring scenes."""
    start: str = ""
    """Weights to start from: the name or path of a card of the same network."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    weights_dtype: Literal["float32", "float16"] = "float32"
    """How weights are stored; float16 halves the file."""
    purpose: str = ""
    """For the card: one sentence."""
    licence: str = "not stated"
    """For the card: under which terms the weights may be used."""
    workers: int = Field(default=1, ge=0)
    """Processes that load and augment; changes no result."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def decisive(self) -> dict[str, Any]:
        """The values for a recipe, as plain JSON types."""
        return self.changed()

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if any(value < 0 for value in self.share.values()) or sum(self.share.values()) > 1 + 1e-9:
            raise ValueError("share must hold numbers from 0 whose sum is at most 1")
        return self
