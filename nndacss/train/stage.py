"""The train stage: fit, then export. Killed at any time, it goes on from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from nndacss.errors import WeightsError, complain
from nndacss.models.card import MaskCard, load_weights
from nndacss.plugins import load
from nndacss.samples.store import SampleStore
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.export import export
from nndacss.train.fit import fit
from nndacss.train.plan import same_network
from nndacss.train.settings import MACHINE, TrainSettings

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"


def train_model(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    store = context.input("samples")[0] / "samples.h5"
    start = _start(context, settings, SampleStore(store))
    fitted = fit(store, settings, context.folder, context.progress, start)
    card = export(fitted, settings, context.order, context.folder / WEIGHTS)
    return {
        "weights": f"{WEIGHTS}.safetensors",
        "card": f"{WEIGHTS}.json",
        "sha256": card.sha256,
        "samples": {
            "train": len(fitted.data.split.train),
            **{name: len(indices) for name, indices in fitted.data.parts.items()},
        },
        "epoch": fitted.epoch + 1,
        "scores": fitted.history[fitted.epoch] if fitted.history else {},
    }


def settings_of(context: Context) -> TrainSettings:
    """The recipe's settings, with this machine's means."""
    settings = cast(TrainSettings, restore(context.order.recipe.settings, "train"))
    location = context.order.location
    means = {key: location[key] for key in MACHINE if key in location}
    return TrainSettings.model_validate({**settings.model_dump(), **means})


def _start(
    context: Context, settings: TrainSettings, store: SampleStore
) -> dict[str, Tensor] | None:
    """The weights to start from, as the recipe knows them."""
    wanted = context.order.recipe.weights
    if wanted is None:
        return None
    place = context.order.location["start"]
    card, tensors = load_weights(place, MaskCard)
    if card.sha256 != wanted:
        expected = f"sha256 {wanted[:12]}..., as when the recipe was made"
        remedy = "put the weights back, or plan the fit again"
        raise WeightsError(complain(place, f"{card.sha256[:12]}...", expected, remedy))
    same_network(card, settings)
    classes = load("labels", store.scheme).classes
    if (card.roles, card.classes) != (store.roles, classes):
        found = f"bands {', '.join(card.roles)}; classes {', '.join(card.classes)}"
        expected = f"those of the samples: {', '.join(store.roles)}; {', '.join(classes)}"
        raise WeightsError(complain(place, found, expected, "start from other weights"))
    return tensors
