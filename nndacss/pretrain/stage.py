"""The pretrain stage: fit a classifier, keep its encoder. Resumed from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch

from nndacss.models.card import EncoderCard, save_weights
from nndacss.plugins import load
from nndacss.pretrain.fit import PatchData, PatchLearner
from nndacss.pretrain.settings import PretrainSettings
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.order import means
from nndacss.train.provenance import course, stored
from nndacss.train.settings import TrainSettings

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"


def pretrain_encoder(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    changed = context.order.recipe.settings
    given = cast(PretrainSettings, restore(changed, "pretrain"))
    settings = PretrainSettings.model_validate({**given.model_dump(), **means(context)})
    train = cast(TrainSettings, restore(changed, "train"))
    device_for(settings)
    data = PatchData(context.input("samples")[0] / "samples.h5", settings, train)
    classes = load("labels", data.store.scheme).classes
    learner = PatchLearner(settings, train, data.roles, len(classes), data.steps)
    fitted = run_fit(learner, data, context.folder, context.progress, "loss")
    card = export(fitted, train, context)
    scores = fitted.history[fitted.epoch] if fitted.history else {}
    return {"weights": f"{WEIGHTS}.safetensors", "sha256": card.sha256, "scores": scores}


def export(
    fitted: Fitted[PatchLearner, PatchData], train: TrainSettings, context: Context
) -> EncoderCard:
    """The classifier's tensors with a card; returns the card as written."""
    data, settings = fitted.data, fitted.data.settings
    records = [data.store.records[index] for index in data.train]
    names = sorted({record.dataset for record in records})
    card = EncoderCard(
        name=context.order.name,
        purpose=settings.purpose or "An encoder's first lessons: patches told apart",
        roles=data.roles,
        levels=tuple(sorted({record.level for record in records})),
        architecture=train.architecture,
        scaling=train.scaling,
        classes=load("labels", data.store.scheme).classes,
        training={
            **course(context.order, settings, data.steps, fitted.epoch),
            "data": {
                name: {"samples": sum(record.dataset == name for record in records)}
                for name in names
            },
        },
        licence=settings.licence,
        sha256="",
    )
    return save_weights(card, stored(fitted.learner.result, settings), context.folder / WEIGHTS)
