"""A finished CycleGAN as weights with cards, one pair of files a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import torch
from torch import Tensor, nn

from nndacss.cyclegan.card import DiscriminatorArchitecture, DiscriminatorCard
from nndacss.cyclegan.fit import Trained
from nndacss.cyclegan.learner import DISCRIMINATORS, GENERATORS, NORMS
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.identity import Order
from nndacss.models.card import Card, save_weights
from nndacss.models.probav_card import ROLES, GeneratorArchitecture, GeneratorCard

#: The two sensors; Landsat is seen through the physical transform.
PROBAV, LANDSAT = "probav", "landsat8_oli"

#: Generator -> whose images it takes, whose it makes.
_WAYS = {"genpv2l8": (PROBAV, LANDSAT), "genl82pv": (LANDSAT, PROBAV)}
#: Discriminator -> whose images it knows.
_KNOWS = {"discl8": LANDSAT, "discpv": PROBAV}
_PURPOSES = {
    "genpv2l8": "Proba-V top-of-atmosphere reflectance as Landsat-8 would see it",
    "genl82pv": "Landsat-8 on Proba-V's pixels as Proba-V would see it",
    "discl8": "Tells images of Landsat-8 on Proba-V's pixels from translated ones",
    "discpv": "Tells images of Proba-V from translated ones",
}


def export(
    trained: Trained, settings: CycleGANSettings, order: Order, folder: Path
) -> dict[str, Card]:
    """Write `<network>.safetensors` and `<network>.json` of all four; their cards by network."""
    training = course(trained, settings, order)
    cards: dict[str, Card] = {}
    for name in (*DISCRIMINATORS, *GENERATORS):
        common: dict[str, Any] = {
            "name": f"{name}{order.name}",
            "purpose": settings.purpose or _PURPOSES[name],
            "roles": ROLES,
            "levels": ("TOA",),
            "training": training,
            "licence": settings.licence,
            "notes": notes(trained),
            "sha256": "",
        }
        card: Card
        if name in GENERATORS:
            norm = NORMS[settings.normtype]
            built = GeneratorArchitecture(filters=settings.df_gen, norm=norm)
            source, target = _WAYS[name]
            card = GeneratorCard(architecture=built, source=source, target=target, **common)
        else:
            size = DiscriminatorArchitecture(filters=settings.df_disc)
            card = DiscriminatorCard(architecture=size, source=_KNOWS[name], **common)
        tensors = stored(trained.learner.networks[name], settings)
        cards[name] = save_weights(card, tensors, folder / name)
    return cards


def stored(network: nn.Module, settings: CycleGANSettings) -> dict[str, Tensor]:
    """All tensors of a network, as `settings.weights_dtype`."""
    dtype = torch.float16 if settings.weights_dtype == "float16" else torch.float32
    return {
        name: value.detach().cpu().to(dtype) if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
    }


def course(trained: Trained, settings: CycleGANSettings, order: Order) -> Mapping[str, Any]:
    """How the training went, as JSON."""
    steps = trained.data.steps * settings.epochs
    last = trained.history[-1] if trained.history else {}
    return {
        "recipe": order.recipe.digest,
        "inputs": dict(order.recipe.inputs),
        "settings": settings.decisive(),
        "seed": settings.seed,
        "epochs": settings.epochs,
        "steps": steps,
        "pairs": len(trained.data.pairs),
        "pairs_drawn": steps * settings.batch_size,
        "side": trained.data.pairs.side,
        "precision": settings.precision,
        "simulated": simulated(trained.data.pairs.path),
        "losses": {name.removeprefix("train/"): round(v, 5) for name, v in sorted(last.items())},
    }


def simulated(path: Path) -> list[str]:
    """Data sets of a file of patches that no satellite saw; none where the file does not say."""
    with h5py.File(path, "r", locking=False) as file:
        if "records" not in file:
            return []
        rows = file["records"][()]
    return sorted({row["dataset"].decode() for row in rows if row["kind"] == b"twin"})


def notes(trained: Trained) -> tuple[str, ...]:
    """Limits that follow from the training data."""
    twins = simulated(trained.data.pairs.path)
    if not twins:
        return ()
    return (f"Trained in part on simulated images ({', '.join(twins)}), not observations.",)
