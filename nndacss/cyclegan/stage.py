"""The cyclegan stage: train, then export. Killed at any time, it goes on from its last epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from nndacss.cyclegan.dataset import fingerprint
from nndacss.cyclegan.export import export
from nndacss.cyclegan.fit import fit
from nndacss.cyclegan.plan import CLOUDS, GIVEN, MADE
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.domains.plan import STORE
from nndacss.errors import DatasetError, WeightsError, complain
from nndacss.models.probav_card import CloudCard, choose
from nndacss.models.probav_networks import cloud_net
from nndacss.models.separable_unet import CloudNet
from nndacss.settings import restore
from nndacss.stage import Context


def train_cyclegan(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    settings = settings_of(context)
    trained = fit(
        dataset_of(context), settings, clouds_of(context), context.folder, context.progress
    )
    cards = export(trained, settings, context.order, context.folder)
    return {
        "weights": {name: f"{name}.safetensors" for name in cards},
        "sha256": {name: card.sha256 for name, card in cards.items()},
        "pairs": len(trained.data.pairs),
        "steps": trained.data.steps * settings.epochs,
        "losses": trained.history[-1] if trained.history else {},
    }


def dataset_of(context: Context) -> Path:
    """The file of pairs; DatasetError where it is not the one that the recipe was made from."""
    inputs = context.order.recipe.inputs
    if MADE in inputs:
        return context.input(MADE)[0] / STORE
    path = Path(context.order.location[GIVEN])
    if not path.is_file() or fingerprint(path) != inputs[GIVEN]:
        found = "another file than when the recipe was made" if path.is_file() else "no such file"
        raise DatasetError(complain(path, found, "the same", "put it back, or plan again"))
    return path


def clouds_of(context: Context) -> CloudNet | None:
    """The cloud network that the recipe names; None where clouds have no weight."""
    wanted = context.order.recipe.inputs.get(CLOUDS)
    if wanted is None:
        return None
    chosen = choose(context.order.location[CLOUDS], CloudCard)
    if chosen.sha256 != wanted:
        expected = f"sha256 {wanted[:12]}..., as when the recipe was made"
        remedy = "put the weights back, or plan again"
        raise WeightsError(complain(chosen.path, f"{chosen.sha256[:12]}...", expected, remedy))
    return cloud_net(chosen)


def settings_of(context: Context) -> CycleGANSettings:
    """The recipe's settings, with this machine's means."""
    settings = cast(CycleGANSettings, restore(context.order.recipe.settings, "cyclegan"))
    means = {key: context.order.location[key] for key in ("device", "workers")}
    return CycleGANSettings.model_validate({**settings.model_dump(), **means})
