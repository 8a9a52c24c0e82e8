"""Settings of land-cover maps: section `[land_cover]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nndacss.settings import Settings

VERSION = 1


class LandCoverSettings(Settings):
    """With which network, and what is left out of the map."""

    weights: str = Field(default="", exclude=True)
    """A name in `checkpoints/` or the path of a card; a recipe knows them by their sha256."""
    hidden: Literal["nodata", "map"] = "nodata"
    """Ground under cloud, cirrus and cloud shadow, by the scene's classification or the product's
    mask: `nodata` in the map, or mapped all the same (`map`)."""
    toa: Literal["correct", "refuse"] = "correct"
    """Top-of-atmosphere images (Level 1C) for a network of surface reflectance: take air and a mean
    haze off roughly, see `nndacss.land_cover.air`, or refuse them."""
    probability: bool = True
    """Whether the probability of each class is written beside the map."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    """`auto` takes a CUDA card where there is one. Never enters a recipe."""


SETTINGS = LandCoverSettings
