"""The train stage: fit, then export. Killed at any time, it goes on from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import torch

from nndacss.errors import WeightsError, complain
from nndacss.models.card import MaskCard
from nndacss.plugins import load
from nndacss.samples.store import SampleStore
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.export import export
from nndacss.train.fit import fit
from nndacss.train.order import means, start_of
from nndacss.train.paint import located
from nndacss.train.plan import same_network
from nndacss.train.settings import TrainSettings
from nndacss.train.transfer import encoder_of

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"


def train_model(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    store = context.input("samples")[0] / "samples.h5"
    fits = partial(_fits, settings=settings, store=SampleStore(store))
    start = start_of(context, MaskCard, fits)
    encoder = None if start else encoder_of(context, settings)
    report = context.progress
    fitted = fit(store, settings, context.folder, report, start, encoder=encoder)
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
    own = TrainSettings.model_validate({**settings.model_dump(), **means(context)})
    return located(own, context.order.location)


def _fits(card: MaskCard, settings: TrainSettings, store: SampleStore) -> None:
    """WeightsError unless a fit on that store can start from the card's weights."""
    same_network(card, settings)
    classes = load("labels", store.scheme).classes
    roles = (*store.roles, *(settings.indices or ()))
    if (card.roles, card.classes) != (roles, classes):
        found = f"bands {', '.join(card.roles)}; classes {', '.join(card.classes)}"
        expected = f"those of the samples: {', '.join(roles)}; {', '.join(classes)}"
        raise WeightsError(complain(card.name, found, expected, "start from other weights"))
