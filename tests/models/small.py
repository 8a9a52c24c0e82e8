"""A small mask network with random weights: right in form, for laws and not for quality."""

from __future__ import annotations

from pathlib import Path

import torch

from nndacss.labels.climate import SCHEME
from nndacss.models.card import MaskCard, save_weights
from nndacss.models.segmentation import Architecture, Scaling, build
from nndacss.sensors import REFLECTIVE

#: One core a forward, as in the stage: several on a busy machine wait for each other.
torch.set_num_threads(1)

ARCHITECTURE = Architecture(
    encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 16, 16, 16)
)


def save_small(
    folder: Path, name: str = "small", seed: int = 0, indices: tuple[str, ...] = (), **card
) -> Path:
    """Write card and weights; the card's path. Norms have seen noise, heads differ in scale."""
    torch.manual_seed(seed)
    roles = (*REFLECTIVE, *indices)
    network = build(ARCHITECTURE, len(roles), len(SCHEME.classes))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # plain means of what it sees
                module.weight.uniform_(0.8, 1.2)
                module.bias.uniform_(-0.2, 0.2)
        coarse = torch.randn(2, len(roles), 16, 16)
        values = torch.nn.functional.interpolate(coarse, scale_factor=8) + 0.3 * torch.randn(
            2, len(roles), 128, 128
        )
        planes = torch.cat([values, torch.ones_like(values)], dim=1)
        for _ in range(2):
            network.train()(planes)
        logits = network.eval()(planes)
        head = network.segmentation_head[0]  # classes that are about equally likely, and differ
        head.bias -= logits.mean(dim=(0, 2, 3))
        scale = 1 / logits.std(dim=(0, 2, 3))
        head.weight *= scale[:, None, None, None]
        head.bias *= scale
    stated = {
        "name": name,
        "purpose": "tests",
        "architecture": ARCHITECTURE,
        "roles": roles,
        "classes": SCHEME.classes,
        "scaling": Scaling(offset=dict.fromkeys(roles, 0.2), spread=dict.fromkeys(roles, 0.15)),
        "training": {"data": "none"},
        "licence": "test",
        "notes": ("Random weights.",),
        "sha256": "",
    }
    save_weights(MaskCard(**{**stated, **card}), network.state_dict(), folder / name)
    return folder / f"{name}.json"
