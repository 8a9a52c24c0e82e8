"""The recipe of a fit; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss.errors import WeightsError, complain
from nndacss.identity import Order, Recipe
from nndacss.models.card import MaskCard, find, load_card
from nndacss.settings import Settings, version
from nndacss.train.settings import MACHINE, TrainSettings


def train_order(samples: Order, settings: Mapping[str, Settings], name: str) -> Order:
    """The fit `name` on a sample store.

    Weights to start from enter by their sha256, not by name or path; worker count and device do
    not enter at all. WeightsError where the start is missing or of another architecture.
    """
    own = cast(TrainSettings, settings["train"])
    changed = own.changed()
    location = {key: str(getattr(own, key)) for key in sorted(MACHINE)}
    weights = None
    if own.start:
        card = load_card(own.start, MaskCard)
        same_network(card, own)
        weights, location["start"] = card.sha256, str(find(own.start).resolve())
    kept = {key: value for key, value in changed.items() if key not in MACHINE | {"start"}}
    recipe = Recipe(
        stage="train",
        version=version("train"),
        settings={"train": kept} if kept else {},
        inputs={"samples": samples.recipe.digest},
        weights=weights,
        precision=own.precision,
    )
    return Order(recipe, name, location)


def same_network(card: MaskCard, settings: TrainSettings) -> None:
    """WeightsError unless the card's network takes and means what the settings ask for."""
    wanted = {"architecture": settings.architecture, "scaling": settings.scaling}
    for word, value in wanted.items():
        if getattr(card, word) != value:
            found = f"{word} {getattr(card, word)}"
            remedy = f"set train.{word} as in the card, or start from other weights"
            raise WeightsError(complain(card.name, found, str(value), remedy))
