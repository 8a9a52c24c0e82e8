"""Settings of the comparison: section `[transfer]`, and `[[transfer.sources]]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nndacss.domains.settings import Entry
from nndacss.settings import Settings

VERSION = 1

Ablation = Literal["fullrepr", "fullreprid0", "fullreprseg0", "fullreprid0seg0", "fullreprcl0sl0"]


class TransferSettings(Settings):
    """What is compared, on which patches."""

    sources: tuple[Entry, ...] = ()
    """Tables `[[transfer.sources]]`: patches to test on, as `[[domains.sources]]`; no scene of
    them may be among those."""
    gans: tuple[Ablation, ...] = ("fullrepr",)
    """CycleGANs to train: all losses, or the published ablations."""
    ceiling: bool = True
    """Whether a network is trained on Proba-V itself: what no transfer can be expected to beat."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Probability, and share of a pixel, from which on it is cloud."""
    draws: int = Field(default=1000, ge=100)
    """Of the bootstrap over scenes."""
    seed: int = Field(default=0, ge=0)
    """Of the bootstrap."""


SETTINGS = TransferSettings
