"""The recipe of any fit, and its start from other weights; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from nndacss.errors import WeightsError, complain
from nndacss.identity import Order, Recipe
from nndacss.models.card import Card, find, load_card, load_weights
from nndacss.settings import version
from nndacss.stage import Context
from nndacss.train.fit_settings import MACHINE, FitSettings

if TYPE_CHECKING:
    from torch import Tensor

C = TypeVar("C", bound=Card)


def fit_order(
    source: Order, own: FitSettings, kind: type[C], same: Callable[[C], None], name: str
) -> Order:
    """The fit `name` of stage `own.SECTION` on what `source` makes.

    Weights to start from enter by their sha256, not by name or path; worker count and device do
    not enter at all. WeightsError where the start is missing, or by `same` where it does not fit.
    """
    changed = own.decisive()
    location = {key: str(getattr(own, key)) for key in sorted(MACHINE)}
    weights = None
    if own.start:
        card = load_card(own.start, kind)
        same(card)
        weights, location["start"] = card.sha256, str(find(own.start).resolve())
    kept = {key: value for key, value in changed.items() if key not in MACHINE | {"start"}}
    recipe = Recipe(
        stage=own.SECTION,
        version=version(own.SECTION),
        settings={own.SECTION: kept} if kept else {},
        inputs={source.recipe.stage: source.recipe.digest},
        weights=weights,
        precision=own.precision,
    )
    return Order(recipe, name, location)


def means(context: Context) -> dict[str, Any]:
    """Worker count and device, as this machine's order has them."""
    location = context.order.location
    return {key: location[key] for key in MACHINE if key in location}


def start_of(
    context: Context, kind: type[C], same: Callable[[C], None]
) -> dict[str, Tensor] | None:
    """The weights to start from, as the recipe knows them; None where it has no start."""
    wanted = context.order.recipe.weights
    if wanted is None:
        return None
    place = context.order.location["start"]
    card, tensors = load_weights(place, kind)
    if card.sha256 != wanted:
        expected = f"sha256 {wanted[:12]}..., as when the recipe was made"
        remedy = "put the weights back, or plan the fit again"
        raise WeightsError(complain(place, f"{card.sha256[:12]}...", expected, remedy))
    same(card)
    return tensors
