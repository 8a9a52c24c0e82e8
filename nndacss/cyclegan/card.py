"""The card of a CycleGAN's discriminator; its generators have those of `models.probav_card`."""

from __future__ import annotations

from typing import ClassVar, Literal

from nndacss.models.card import Card
from nndacss.settings import Settings


class DiscriminatorArchitecture(Settings):
    """See `nndacss.models.cyclegan.Discriminator`."""

    bands: int = 4
    filters: int = 8


class DiscriminatorCard(Card):
    """Weights that tell images of one sensor from translated ones."""

    OF: ClassVar[str] = " of a discriminator"
    family: Literal["cyclegan"] = "cyclegan"
    architecture: DiscriminatorArchitecture = DiscriminatorArchitecture()
    source: str
    """Whose images it knows, a module of `nndacss.sensors`."""
