"""The harmonizer stage: fit, calibrate, export.

Killed at any time, it goes on from its last epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import torch

from nndacss.harmonizer.export import export, scores
from nndacss.harmonizer.fit import calibrate, fit
from nndacss.harmonizer.plan import same_network
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.models.harmonizer_card import HarmonizerCard
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.order import means, start_of

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"


def train_harmonizer(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    store = context.input("pairs")[0] / "pairs.h5"
    start = start_of(context, HarmonizerCard, partial(same_network, settings=settings))
    fitted = fit(store, settings, context.folder, context.progress, start)
    context.progress(1.0, "measuring the standard deviations")
    calibrated = calibrate(fitted)
    card = export(fitted, calibrated, settings, context.order, context.folder / WEIGHTS)
    return {
        "weights": f"{WEIGHTS}.safetensors",
        "card": f"{WEIGHTS}.json",
        "sha256": card.sha256,
        "pairs": {
            "train": len(fitted.data.split.train),
            **{name: len(indices) for name, indices in fitted.data.parts.items()},
        },
        "epoch": fitted.epoch + 1,
        "scores": scores(calibrated, context.order),
    }


def settings_of(context: Context) -> HarmonizerSettings:
    """The recipe's settings, with this machine's means."""
    settings = cast(HarmonizerSettings, restore(context.order.recipe.settings, "harmonizer"))
    return HarmonizerSettings.model_validate({**settings.model_dump(), **means(context)})
