"""Settings of a cloud network's fit: section `[cloudnet]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nndacss.train.fit_settings import FitSettings

VERSION = 1


class CloudNetSettings(FitSettings):
    """One fit to the patches of one sensor."""

    SECTION = "cloudnet"
    domain: Literal["LU", "L8", "PV"] = "LU"
    """Landsat through the physical transform, Landsat as it is at 30 m, or Proba-V itself."""
    filters: int = Field(default=32, ge=2)
    """Of the first level; the published 32."""
    momentum: float = Field(default=0.05, gt=0, le=1)
    """Share by which a step moves the averages of batch norm. The published 0.01 (Keras: 0.99)
    needs thousands of steps before the network can be used."""
    epochs: int = Field(default=20, ge=1)
    batch: int = Field(default=16, ge=2)
    rate: float = Field(default=2e-3, gt=0)
    """Largest learning rate of AdamW."""
    monitor: float = Field(default=0.1, ge=0, lt=1)
    """Share of the scenes of each data set that is kept out to watch the fit."""
    split_seed: int = Field(default=0, ge=0)
    """Which scenes those are: not the fit's seed, so that several seeds share them."""
    best_by: Literal["iou", "loss"] = "iou"
    purpose: str = "Clouds on Proba-V's four bands, top-of-atmosphere reflectance"
    workers: int = Field(default=0, ge=0)
    """Processes that load; changes no result."""


SETTINGS = CloudNetSettings
