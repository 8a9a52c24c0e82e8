"""The recipe of a cloud network's fit; light, for the scheduler's process."""

from __future__ import annotations

from functools import partial

from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.errors import WeightsError, complain
from nndacss.identity import Order
from nndacss.models.probav_card import CloudCard
from nndacss.train.order import fit_order


def cloud_net_order(domains: Order, own: CloudNetSettings, name: str) -> Order:
    """The fit `name` on a file of patches, see `fit_order`."""
    return fit_order(domains, own, CloudCard, partial(same_network, settings=own), name)


def same_network(card: CloudCard, settings: CloudNetSettings) -> None:
    """WeightsError unless the card's network is the one that the settings ask for."""
    if card.architecture.filters != settings.filters:
        found, expected = f"{card.architecture.filters} filters", f"{settings.filters}"
        remedy = "set cloudnet.filters as in the card, or start from others"
        raise WeightsError(complain(card.name, found, expected, remedy))
