"""The recipe of an inpainting network's fit; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from nndacss.errors import WeightsError, complain
from nndacss.identity import Order
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.inpainter_card import InpainterCard
from nndacss.models.segmentation import Scaling
from nndacss.settings import Settings
from nndacss.train.order import fit_order


def inpainter_order(samples: Order, settings: Mapping[str, Settings], name: str) -> Order:
    """The fit `name` on a sample store, see `fit_order`.

    WeightsError where the start is missing or of another network.
    """
    own = cast(InpainterSettings, settings["inpainter"])
    return fit_order(samples, own, InpainterCard, partial(same_network, settings=own), name)


def same_network(card: InpainterCard, settings: InpainterSettings) -> None:
    """WeightsError unless the card's network takes and means what the settings ask for.

    A network of another structure is a fair start.
    """
    wanted = {
        "family": "own",
        "architecture": settings.architecture,
        "scaling": scaling_of(settings.scaling, card.roles),
    }
    for word, value in wanted.items():
        if getattr(card, word) != value:
            found = f"{word} {getattr(card, word)}"
            remedy = f"set inpainter.{word} as in the card, or start from other weights"
            raise WeightsError(complain(card.name, found, str(value), remedy))


def scaling_of(scaling: Scaling, roles: Sequence[str]) -> Scaling:
    """The scaling of these bands alone; those without one are left out."""
    return scaling.model_copy(
        update={
            word: {role: table[role] for role in roles if role in table}
            for word, table in (("offset", scaling.offset), ("spread", scaling.spread))
        }
    )
