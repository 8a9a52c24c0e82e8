"""The cloudnet stage: fit, then export. Killed at any time, it goes on from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from nndacss.cloudnet.data import CloudData
from nndacss.cloudnet.learner import CloudLearner
from nndacss.cloudnet.plan import same_network
from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.domains.plan import STORE
from nndacss.identity import Order
from nndacss.models.card import save_weights
from nndacss.models.probav_card import ROLES, CloudArchitecture, CloudCard
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.order import means, start_of
from nndacss.train.provenance import course, stored
from nndacss.train.watch import Report

CloudFit = Fitted[CloudLearner, CloudData]
"""A finished fit of a cloud network."""

#: Stem of weights and card in the stage's folder.
WEIGHTS = "weights"


def train_cloud_net(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    store = context.input("domains")[0] / STORE
    start = start_of(context, CloudCard, partial(same_network, settings=settings))
    fitted = fit(store, settings, context.folder, context.progress, start)
    card = export(fitted, settings, context.order, context.folder / WEIGHTS)
    return {
        "weights": f"{WEIGHTS}.safetensors",
        "card": f"{WEIGHTS}.json",
        "sha256": card.sha256,
        "patches": len(fitted.data.train),
        "epoch": fitted.epoch + 1,
        "scores": card.scores,
    }


def fit(
    store: Path,
    settings: CloudNetSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> CloudFit:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`."""
    device_for(settings)
    data = CloudData(store, settings)
    learner = CloudLearner(settings, data.steps)
    return run_fit(learner, data, folder, report, settings.best_by, (), start, stop_after)


def export(fitted: CloudFit, settings: CloudNetSettings, order: Order, path: Path) -> CloudCard:
    """Write `<path>.safetensors` and `<path>.json`; returns the card as written."""
    records = fitted.data.store.records
    chosen = [records[index] for index in fitted.data.train]
    twins = sorted({record.dataset for record in chosen if record.kind == "twin"})
    note = f"Trained in part on simulated images ({', '.join(twins)}), not observations."
    card = CloudCard(
        name=order.name,
        purpose=settings.purpose,
        roles=ROLES,
        architecture=CloudArchitecture(filters=settings.filters),
        levels=("TOA",),
        training={
            **course(order, settings, fitted.data.steps, fitted.epoch),
            "domain": settings.domain,
            "patches": len(chosen),
            "scenes": len({record.scene for record in chosen}),
            "simulated": twins,
            "kept_out": sorted(fitted.data.watched),
        },
        scores=scores(fitted, order),
        licence=settings.licence,
        notes=(note,) if twins else (),
        sha256="",
    )
    return save_weights(card, stored(fitted.learner.result, settings), path)


def scores(fitted: CloudFit, order: Order) -> tuple[Mapping[str, Any], ...]:
    """What the monitoring scenes said of the epoch that is exported."""
    entry = fitted.history[fitted.epoch] if fitted.history else {}
    found = {
        name.removeprefix("monitor/"): round(value, 4)
        for name, value in entry.items()
        if name.startswith("monitor/")
    }
    if not found:
        return ()
    by = f"monitoring scenes of TrainCloudNet, recipe {order.recipe.digest[:8]}"
    return ({"data": "monitor", "by": by, **found},)


def settings_of(context: Context) -> CloudNetSettings:
    """The recipe's settings, with this machine's means."""
    settings = cast(CloudNetSettings, restore(context.order.recipe.settings, "cloudnet"))
    return CloudNetSettings.model_validate({**settings.model_dump(), **means(context)})
