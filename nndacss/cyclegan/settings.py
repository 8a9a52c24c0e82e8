"""Settings of a CycleGAN's training: section `[cyclegan]`.

Names and defaults of what decides the result are the published ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from nndacss.settings import Settings

VERSION = 1

#: Our own cloud network, as `nndacss.models.probav_card` calls it: that module is not light.
DEFAULT_CLOUD = "probav_cloud_v1"
#: Suffix -> what the published ablations leave out.
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "fullrepr": {},
    "fullreprid0": {"identity_lambda": 0.0},
    "fullreprseg0": {"segmentation_consistency_lmbda": 0.0},
    "fullreprid0seg0": {"identity_lambda": 0.0, "segmentation_consistency_lmbda": 0.0},
    "fullreprcl0sl0": {"segmentation_consistency_lmbda": 0.0, "cycled_lambda": 0.0},
}
#: Fields that name a machine's means or a place, not the result: they stay out of the recipe.
MACHINE = frozenset({"workers", "device", "weights_cloud_detection"})


class CycleGANSettings(Settings):
    """One training."""

    epochs: int = Field(default=25, ge=1)
    batch_size: int = Field(default=48, ge=1)
    """Pairs a step; what does not fill a batch waits for the next epoch."""
    lr: float = Field(default=1e-4, gt=0)
    """Learning rate of Adam, constant; its first moment decays by 0.5."""
    seed: int = Field(default=123, ge=0)
    df_gen: int = Field(default=64, ge=1)
    """Filters of the generators."""
    df_disc: int = Field(default=8, ge=1)
    """Filters of the discriminators' first layer."""
    normtype: Literal["batchnorm", "instancenorm", "no"] = "batchnorm"
    """Normalization in the generators."""
    momentum: float = Field(default=0.01, gt=0, le=1)
    """Share by which a step moves the averages of the generators' batch norm, twice a step. The
    published 0.01 (Keras: 0.99) wants some hundred steps; a short trial needs more."""
    identity_start: bool = False
    """Let the generators start as nearly the identity. As published they start by chance; on
    simulated places 960 steps then left images farther from the other sensor's than they were."""
    identity_lambda: float = Field(default=5.0, ge=0)
    """Weight of the mean absolute difference between an image and its own translation."""
    cycled_lambda: float = Field(default=5.0, ge=0)
    """Weight of that between an image and its translation there and back."""
    segmentation_consistency_lmbda: float = Field(default=1.0, ge=0)
    """Weight of the divergence between the clouds of an image and of its translation."""
    gradient_penalty_mode: Literal["meschederreal", "none"] = "meschederreal"
    """Squared gradient of the discriminator at images of its own sensor, or none."""
    gradient_penalty_weight: float = Field(default=10.0, ge=0)
    weights_cloud_detection: str = DEFAULT_CLOUD
    """Cloud network that stays as it is: a card by name or path, or a published Keras file."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    weights_dtype: Literal["float32", "float16"] = "float32"
    """How weights are stored; float16 halves the file."""
    purpose: str = ""
    """For the card: one sentence; empty: made from the training data."""
    licence: str = "not stated"
    """For the card: under which terms the weights may be used."""
    workers: int = Field(default=0, ge=0)
    """Processes that load; changes no result."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def decisive(self) -> dict[str, Any]:
        """The values for a recipe, as plain JSON types."""
        return {key: value for key, value in self.changed().items() if key not in MACHINE}


SETTINGS = CycleGANSettings
