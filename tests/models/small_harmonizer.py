"""A small harmonizer with random weights, for tests."""

from __future__ import annotations

from pathlib import Path

import torch

from nndacss.models.card import save_weights
from nndacss.models.detail import DetailArchitecture, build
from nndacss.models.harmonizer_card import INPUTS, HarmonizerCard


def small_harmonizer(folder: Path, name: str = "small_harmonizer", seed: int = 0) -> Path:
    """Weights and card of a tiny `detail` network that adds visible detail; returns the card."""
    torch.manual_seed(seed)
    architecture = DetailArchitecture(width=8, blocks=1)
    network = build(architecture)
    torch.nn.init.normal_(network.leave.weight, std=0.1)
    card = HarmonizerCard(
        name=name,
        purpose="tests",
        roles=INPUTS,
        family="detail",
        architecture=architecture.model_dump(),
        deviation="predicted",
        pan="known",
        multiple=6,
        reach=architecture.reach,
        training={"data": "none: random weights"},
        licence="MIT",
        sha256="",
    )
    save_weights(card, network.state_dict(), folder / name)
    return folder / f"{name}.json"
