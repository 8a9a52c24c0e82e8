"""The recipe of a harmonizer's fit; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from nndacss.errors import WeightsError, complain
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.identity import Order
from nndacss.models.harmonizer_card import HarmonizerCard
from nndacss.settings import Settings
from nndacss.train.order import fit_order


def harmonizer_order(pairs: Order, settings: Mapping[str, Settings], name: str) -> Order:
    """The fit `name` on a pair store, see `fit_order`.

    WeightsError where the start is missing or of another network.
    """
    own = cast(HarmonizerSettings, settings["harmonizer"])
    return fit_order(pairs, own, HarmonizerCard, partial(same_network, settings=own), name)


def same_network(card: HarmonizerCard, settings: HarmonizerSettings) -> None:
    """WeightsError unless the card's network is the one that the settings ask for."""
    if card.family != settings.family or card.built != settings.built:
        found = f"{card.family} {dict(card.architecture)}"
        expected = f"{settings.family} {settings.built.model_dump()}"
        remedy = "set harmonizer.family and architecture as in the card, or start from others"
        raise WeightsError(complain(card.name, found, expected, remedy))
