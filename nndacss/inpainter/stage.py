"""The inpainter stage: fit, export, draw. Killed at any time, it goes on from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import torch

from nndacss.errors import WeightsError, complain
from nndacss.inpainter.export import export
from nndacss.inpainter.fit import fit
from nndacss.inpainter.pictures import draw
from nndacss.inpainter.plan import same_network
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.inpainter_card import InpainterCard
from nndacss.samples.store import SampleStore
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.order import means, start_of

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"
#: What was hidden of unseen scenes, restored, and as it was.
PICTURES = "pictures.png"


def train_inpainter(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    store = context.input("samples")[0] / "samples.h5"
    fits = partial(_fits, settings=settings, store=SampleStore(store))
    start = start_of(context, InpainterCard, fits)
    fitted = fit(store, settings, context.folder, context.progress, start)
    card = export(fitted, settings, context.order, context.folder / WEIGHTS)
    draw(fitted, context.folder / PICTURES)
    return {
        "weights": f"{WEIGHTS}.safetensors",
        "card": f"{WEIGHTS}.json",
        "sha256": card.sha256,
        "samples": {
            "train": len(fitted.data.train),
            "skipped": fitted.data.skipped,
            **{name: len(indices) for name, indices in fitted.data.parts.items()},
        },
        "epoch": fitted.epoch + 1,
        "scores": fitted.history[fitted.epoch] if fitted.history else {},
    }


def settings_of(context: Context) -> InpainterSettings:
    """The recipe's settings, with this machine's means."""
    settings = cast(InpainterSettings, restore(context.order.recipe.settings, "inpainter"))
    return InpainterSettings.model_validate({**settings.model_dump(), **means(context)})


def _fits(card: InpainterCard, settings: InpainterSettings, store: SampleStore) -> None:
    """WeightsError unless a fit on that store can start from the card's weights."""
    same_network(card, settings)
    if card.roles != store.roles:
        found = f"bands {', '.join(card.roles)}"
        expected = f"those of the samples: {', '.join(store.roles)}"
        raise WeightsError(complain(card.name, found, expected, "start from other weights"))
