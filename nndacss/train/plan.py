"""The recipe of a segmentation's fit; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

from nndacss.errors import WeightsError, complain
from nndacss.identity import Order
from nndacss.models.card import MaskCard
from nndacss.settings import Settings
from nndacss.train.order import fit_order
from nndacss.train.paint import with_bank
from nndacss.train.settings import TrainSettings
from nndacss.train.transfer import with_encoder


def train_order(
    samples: Order, settings: Mapping[str, Settings], name: str, pretrained: Order | None = None
) -> Order:
    """The fit `name` on a sample store, cut or composed, see `fit_order`.

    `pretrained` trains its encoder, where the settings want that. WeightsError where the start is
    missing or of another architecture.
    """
    own, place = with_bank(cast(TrainSettings, settings["train"]))
    own, at, above = with_encoder(own, pretrained)
    order = fit_order(samples, own, MaskCard, partial(same_network, settings=own), name)
    # one name for its input, whichever stage made it
    inputs = {"samples": samples.recipe.digest, **above}
    recipe = replace(order.recipe, inputs=inputs)
    return replace(order, recipe=recipe, location={**order.location, **place, **at})


def same_network(card: MaskCard, settings: TrainSettings) -> None:
    """WeightsError unless the card's network takes and means what the settings ask for."""
    wanted = {"architecture": settings.architecture, "scaling": settings.scaling}
    for word, value in wanted.items():
        if getattr(card, word) != value:
            found = f"{word} {getattr(card, word)}"
            remedy = f"set train.{word} as in the card, or start from other weights"
            raise WeightsError(complain(card.name, found, str(value), remedy))
