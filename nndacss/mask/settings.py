"""Settings of the mask: section `[mask]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nndacss.settings import Settings

VERSION = 2

#: The mask network that comes with the package.
DEFAULT_WEIGHTS = "mask_unetpp_v4"

Metres = Annotated[float, Field(ge=0, le=1000)]
Hectares = Annotated[float, Field(ge=0, le=4)]


class Dilate(Settings):
    """Metres by which each class grows, in every direction; 0 leaves it."""

    shadow: Metres = 0.0
    snow: Metres = 0.0
    cloud: Metres = 0.0


class Smallest(Settings):
    """Objects of less than so many hectares are taken back; 0 keeps all. 1 ha is 100 pixels."""

    shadow: Hectares = 0.0
    snow: Hectares = 0.0
    cloud: Hectares = 0.0


class MaskSettings(Settings):
    """Where the mask comes from and what counts."""

    method: str = "auto"
    """A module of `nndacss.mask`, or `auto`: `network` where weights are installed and the scene
    has the bands they need, else `quality` where the product has quality bits, else `spectral`."""
    confidence: Literal["medium", "high"] = "high"
    """From which confidence on the agency's two-bit classes count. Collection 2's own single bits
    are its high confidence; `medium` reads the pairs beside them."""
    dilated: bool = False
    """Whether Collection 2's dilated cloud (3 pixels around) counts as cloud."""
    cirrus: bool = True
    """Whether high-confidence cirrus counts as cloud."""
    weights: str = DEFAULT_WEIGHTS
    """For `network`: a name in `checkpoints/`, the path of a card, or that of a published cloud
    network (`nndacss.models.landsat_clouds`). Its sha256 is identity."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    """For `network`; `auto` takes a CUDA card where there is one. Never enters a recipe."""
    level: Literal["auto", "TOA", "SR"] = "auto"
    """For `network`: the reflectance it sees. `auto`: TOA where Level 1 is there, else SR."""
    probability: bool = True
    """For `network`: whether the probability of each class is kept beside the labels."""
    dilate: Dilate = Dilate()
    """For `network`: the labels as predicted are then kept as a layer of their own."""
    smallest: Smallest = Smallest()
    """As `dilate`."""


SETTINGS = MaskSettings
