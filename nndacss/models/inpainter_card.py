"""The card of an inpainting network's weights; light, it is read where runs are planned."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from nndacss.errors import WeightsError, complain
from nndacss.labels.climate import Climate
from nndacss.models.card import Card, load_card
from nndacss.models.segmentation import Architecture, Scaling

Structure = Literal["cloud", "shadow", "snow"]
"""What a network restores."""

#: Structure -> its code in labels.
CODES: Mapping[str, Climate] = {
    "cloud": Climate.CLOUD,
    "shadow": Climate.SHADOW,
    "snow": Climate.SNOW,
}
#: Our own weights, by structure.
DEFAULT_WEIGHTS: Mapping[str, str] = {name: f"inpainter_{name}_v1" for name in CODES}
#: The network of the published weights ("Climate structures inpainting augmentation").
PUBLISHED_ARCHITECTURE = Architecture(
    encoder="timm-efficientnet-b0", decoder_channels=(256, 128, 64, 32, 16)
)
#: Its eight bands. The publication does not name them: these are the first eight of a ten-band
#: SPARCS stack (B1 to B7 and B9 of Landsat-8), as far as file names of its figures tell.
PUBLISHED_ROLES = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22", "cirrus")


class InpainterCard(Card):
    """Weights that restore one structure where it is hidden."""

    OF: ClassVar[str] = " of an inpainting network"
    structure: Structure
    family: Literal["own", "published"] = "own"
    """How bands enter and leave: `own` scaled, with planes that say what is seen, missing or
    hidden; `published` as they are between 0 and 1, with 0 where hidden or missing."""
    architecture: Architecture
    scaling: Scaling = Scaling(offset={}, spread={})
    """Of the family `own`."""
    largest: float = 1.0
    """Share of a patch that was hidden at most in training."""


def inpainter_card(name: str | Path) -> InpainterCard:
    """The card of weights: a structure (ours), a name or path, or a published state dict's path.

    A published file has no card; `published_card` says what stands for it. WeightsError where
    there is none, or of other weights.
    """
    given = DEFAULT_WEIGHTS.get(str(name), name)
    path = Path(given)
    if path.suffix not in (".json", ".safetensors") and path.is_file():
        return published_card(path)
    return load_card(given, InpainterCard)


def published_card(path: Path) -> InpainterCard:
    """What stands for the card of a published file; WeightsError where its name says no structure.

    The published names are `UNet_Ef_b0_InpaintClouds_...`, `...InpaintShadows...`,
    `...InpaintSnow...`.
    """
    named = [structure for structure in CODES if structure in path.stem.lower()]
    if len(named) != 1:
        found = f"{' and '.join(named) or 'no structure'} in the file's name"
        expected = f"one of {', '.join(CODES)}, as in UNet_Ef_b0_InpaintClouds_2losses_ep_100"
        raise WeightsError(complain(path, found, expected, "rename the file, or give a card"))
    structure: Structure = named[0]  # type: ignore[assignment]
    return InpainterCard(
        name=path.stem,
        purpose=f"Restores {structure} in Landsat-8 images, as published",
        roles=PUBLISHED_ROLES,
        levels=("TOA",),
        training={"data": "SPARCS, by the publication"},
        licence="not stated",
        notes=("The publication does not say which eight bands: check them on an image you know.",),
        structure=structure,
        family="published",
        architecture=PUBLISHED_ARCHITECTURE,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
