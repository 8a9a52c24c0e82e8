"""A finished fit as weights with a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nndacss.identity import Order
from nndacss.models.card import KINDS, MaskCard, save_weights
from nndacss.models.indices import bands_of
from nndacss.train.fit import MaskFit
from nndacss.train.provenance import course, stored
from nndacss.train.settings import TrainSettings

#: A network trained at some pixel size still serves pixels this much larger: clouds have no size.
_MARGIN = 2.0
#: The last layer's bias in smp's networks: what `train.lean` adds to the logits is a part of it.
_BIAS = "segmentation_head.0.bias"


def export(fitted: MaskFit, settings: TrainSettings, order: Order, path: Path) -> MaskCard:
    """Write `<path>.safetensors` and `<path>.json`; returns the card as written."""
    tensors = stored(fitted.learner.result, settings)
    tensors[_BIAS] = tensors[_BIAS] + fitted.learner.lean.flatten().to(tensors[_BIAS])
    records = [fitted.data.store.records[index] for index in fitted.data.split.train]
    scheme = fitted.data.store.scheme
    card = KINDS.get(scheme, MaskCard)(
        name=order.name,
        purpose=settings.purpose,
        architecture=settings.architecture,
        roles=fitted.data.roles,
        required=required(fitted.data.store.roles, settings),
        scheme=scheme,
        classes=fitted.learner.frame.classes,
        scaling=settings.scaling,
        darkness=settings.darkness,
        parallax=settings.parallax,
        haze=settings.haze,
        margin=settings.margin,
        levels=tuple(sorted({record.level for record in records}, reverse=True)),
        finest=min(record.metres for record in records),
        coarsest=_MARGIN * max(record.metres for record in records),
        training=training(fitted, settings, order),
        scores=scores(fitted, order),
        licence=settings.licence,
        notes=notes(fitted),
        sha256="",
    )
    return save_weights(card, tensors, path)


def required(roles: tuple[str, ...], settings: TrainSettings) -> tuple[str, ...]:
    """Bands that training never left out on purpose, and near infrared: seldom is not enough."""
    augment = settings.augment
    spared = ("swir16", "swir22") if augment.drop_chance or augment.drop_swir_chance else ()
    return tuple(role for role in bands_of(roles) if role not in spared)


def training(fitted: MaskFit, settings: TrainSettings, order: Order) -> Mapping[str, Any]:
    """What the weights were made of, as JSON."""
    data = fitted.data
    return {
        **course(order, settings, data.steps, fitted.epoch),
        "class_weights": {
            word: round(fitted.learner.frame.set_weights[1 << code], 4)
            for code, word in enumerate(fitted.learner.frame.classes)
        },
        "data": {name: _summary(fitted, name) for name in data.datasets},
    }


def _summary(fitted: MaskFit, name: str) -> dict[str, Any]:
    """Counts of one data set in the training part, and the scenes that were kept out of it."""
    store, parts = fitted.data.store, fitted.data.split
    chosen = [store.records[i] for i in parts.train if store.records[i].dataset == name]
    pixels = np.sum([record.class_counts for record in chosen], axis=0) if chosen else ()
    kept_out = {
        part: sorted({store.records[i].scene for i in indices if store.records[i].dataset == name})
        for part, indices in fitted.data.parts.items()
    }
    return {
        "samples": len(chosen),
        "scenes": len({record.scene for record in chosen}),
        "sensors": sorted({record.sensor for record in chosen}),
        "metres": sorted({record.metres for record in chosen}),
        "simulated": name in simulated(store.header.recipe),
        "pixels": dict(
            zip(fitted.learner.frame.classes, (int(number) for number in pixels), strict=False)
        ),
        "kept_out": {part: scenes for part, scenes in kept_out.items() if scenes},
    }


def simulated(recipe: Mapping[str, Any]) -> frozenset[str]:
    """Names of the entries of a store's recipe that were made by a program and not observed."""
    settings = recipe.get("settings", {})
    # composed samples come from views
    cut, seen = settings.get("samples", {}), settings.get("views", {})
    entries = [*cut.get("datasets", ()), *seen.get("sources", ())]
    return frozenset(
        str(entry.get("name") or entry["kind"])
        for entry in entries
        if entry["kind"] == "twin" or entry.get("simulated")
    )


def scores(fitted: MaskFit, order: Order) -> tuple[Mapping[str, Any], ...]:
    """What validation said of the epoch that is exported; the held-out fold decided nothing."""
    if not fitted.history:
        return ()
    entry = fitted.history[fitted.epoch]
    by = f"validation during TrainSegmentation, recipe {order.recipe.digest[:8]}"
    found: dict[str, dict[str, float]] = {}
    for name, value in entry.items():
        part, _, rest = name.partition("/")
        if rest and part != "train":
            found.setdefault(part, {})[rest] = round(value, 4)
    return tuple({"data": part, "by": by, **values} for part, values in sorted(found.items()))


def notes(fitted: MaskFit) -> tuple[str, ...]:
    """Limits that follow from the training data."""
    twins = simulated(fitted.data.store.header.recipe)
    names = sorted({fitted.data.store.records[i].dataset for i in fitted.data.split.train} & twins)
    if not names:
        return ()
    return (f"Trained in part on simulated images ({', '.join(names)}), not observations.",)
