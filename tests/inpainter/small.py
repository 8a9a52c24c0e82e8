"""A small inpainting network with random weights: right in form, for laws and not for quality."""

from __future__ import annotations

from pathlib import Path

import torch

from nndacss.models.card import save_weights
from nndacss.models.inpainter_card import InpainterCard
from nndacss.models.segmentation import Architecture, Scaling, build
from nndacss.sensors import REFLECTIVE

#: One core a forward, as in the stage: several on a busy machine wait for each other.
torch.set_num_threads(1)

ARCHITECTURE = Architecture(encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 8, 8, 8))
SCALING = Scaling(
    offset={role: 0.2 + 0.01 * place for place, role in enumerate(REFLECTIVE)},
    spread={role: 0.2 - 0.01 * place for place, role in enumerate(REFLECTIVE)},
)


def save_small(folder: Path, structure: str = "cloud", seed: int = 0) -> Path:
    """Write card and weights; the card's path. Norms have seen noise."""
    torch.manual_seed(seed)
    network = build(ARCHITECTURE, len(REFLECTIVE), len(REFLECTIVE))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # plain means of what it sees
                module.weight.uniform_(0.8, 1.2)
                module.bias.uniform_(-0.2, 0.2)
        for _ in range(2):
            network.train()(torch.randn(2, 2 * len(REFLECTIVE), 64, 64))
    card = InpainterCard(
        name=f"small-{structure}",
        purpose="tests",
        structure=structure,
        architecture=ARCHITECTURE,
        roles=REFLECTIVE,
        scaling=SCALING,
        training={"data": "none"},
        licence="test",
        notes=("Random weights.",),
        sha256="",
    )
    save_weights(card, network.state_dict(), folder / f"small-{structure}")
    return folder / f"small-{structure}.json"
