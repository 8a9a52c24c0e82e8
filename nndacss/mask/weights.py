"""Which weights a mask is made with: names, cards and checks. Light (no torch, no numpy).

It runs where recipes are made, so that weights that are missing or of another kind are found
before any work starts, and so that their sha256 enters the mask's identity.
"""

from __future__ import annotations

from pathlib import Path

from nndacss.errors import WeightsError, complain
from nndacss.labels.climate import SCHEME
from nndacss.mask.settings import DEFAULT_WEIGHTS, MaskSettings
from nndacss.models.card import MaskCard, load_card
from nndacss.resources import folder

#: What the mask's networks compute in. bf16 flips about 1 % of a mask's pixels.
PRECISION = "float32"


def mask_card(name: str | Path = DEFAULT_WEIGHTS) -> MaskCard:
    """The card of a mask's weights; WeightsError where there is none, or of other classes."""
    card = load_card(name, MaskCard)
    if card.scheme != SCHEME.name or card.classes != SCHEME.classes:
        found = f"weights for {card.scheme} ({', '.join(card.classes)})"
        expected = f"{SCHEME.name} ({', '.join(SCHEME.classes)})"
        raise WeightsError(complain(name, found, expected, "choose the weights of a mask"))
    unknown = [role for role in card.required if role not in card.bands]
    if unknown:
        expected = f"some of the bands it knows ({', '.join(card.bands)})"
        remedy = "correct the card, or export the weights again"
        raise WeightsError(complain(name, f"required bands {unknown}", expected, remedy))
    return card


def planned_card(settings: MaskSettings) -> MaskCard | None:
    """The card of the weights that these settings may use; None where no network is in play.

    `auto` does without a network where the default weights are not installed; whoever names
    other weights, or says `network`, gets a WeightsError.
    """
    if settings.method not in ("auto", "network"):
        return None
    default = settings.weights == DEFAULT_WEIGHTS
    if settings.method == "auto" and default and not installed(DEFAULT_WEIGHTS):
        return None
    return mask_card(settings.weights)


def installed(name: str) -> bool:
    """Whether weights of that name came with the package."""
    return (folder("checkpoints") / f"{name}.json").is_file()
