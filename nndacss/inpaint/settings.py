"""Settings of inpainted sample sets: section `[inpaint]`, its table `[inpaint.paint]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nndacss.inpaint.options import PaintOptions
from nndacss.settings import Settings

VERSION = 2


class InpaintSettings(Settings):
    """How often each sample of a store is painted, and what goes into the new one."""

    draws: int = Field(default=1, ge=1)
    """Painted versions of a sample."""
    originals: bool = True
    """Whether the samples themselves are in the new store too, before their painted versions."""
    turn: bool = True
    """Turn and mirror a sample before it is painted, any of the eight ways; its sun turns along."""
    seed: int = Field(default=0, ge=0)
    """Of all draws."""
    paint: PaintOptions = PaintOptions()
    """What is painted, and how."""
    train: bool = Field(default=False, exclude=True)
    """Whether `Experiment` trains on the painted samples, in place of those of `[samples]`."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    """For the renderer `network`. A machine's means, so no part of a recipe."""


SETTINGS = InpaintSettings
