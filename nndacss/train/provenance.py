"""What any fit puts into its weights and their card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.identity import Order
from nndacss.train.fit_settings import FitSettings


def stored(network: nn.Module, settings: FitSettings) -> dict[str, Tensor]:
    """All tensors of a network, as `settings.weights_dtype`."""
    dtype = torch.float16 if settings.weights_dtype == "float16" else torch.float32
    return {
        name: value.detach().cpu().to(dtype) if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
    }


def course(order: Order, settings: FitSettings, steps: int, epoch: int) -> Mapping[str, Any]:
    """How a fit went, as JSON: recipe, settings, seed, steps; `steps` is a number an epoch."""
    source, *others = order.recipe.inputs
    return {
        "recipe": order.recipe.digest,
        source: order.recipe.inputs[source],
        **{other: order.recipe.inputs[other] for other in others},
        "started_from": order.recipe.weights,
        "settings": settings.changed(),
        "seed": settings.seed,
        "epochs": settings.epochs,
        "epoch": epoch + 1,
        "steps": steps * settings.epochs,
        f"{source}_drawn": steps * settings.epochs * settings.batch,
        "precision": settings.precision,
    }
