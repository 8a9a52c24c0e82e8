"""A finished fit as weights with a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nndacss.identity import Order
from nndacss.inpainter.fit import InpainterFit
from nndacss.inpainter.plan import scaling_of
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.card import save_weights
from nndacss.models.inpainter_card import CODES, InpainterCard
from nndacss.train.export import simulated
from nndacss.train.provenance import course, stored

_PURPOSE = "Restores {} where it is hidden, so as to paint it into images that have none"


def export(
    fitted: InpainterFit, settings: InpainterSettings, order: Order, path: Path
) -> InpainterCard:
    """Write `<path>.safetensors` and `<path>.json`; returns the card as written."""
    data = fitted.data
    records = [data.store.records[index] for index in data.train]
    card = InpainterCard(
        name=order.name,
        purpose=settings.purpose or _PURPOSE.format(settings.structure),
        structure=settings.structure,
        architecture=settings.architecture,
        roles=data.store.roles,
        scaling=scaling_of(settings.scaling, data.store.roles),
        largest=settings.hide.largest,
        levels=tuple(sorted({record.level for record in records}, reverse=True)),
        training=training(fitted, settings, order),
        scores=scores(fitted, order),
        licence=settings.licence,
        notes=notes(fitted),
        sha256="",
    )
    return save_weights(card, stored(fitted.learner.result, settings), path)


def training(fitted: InpainterFit, settings: InpainterSettings, order: Order) -> Mapping[str, Any]:
    """What the weights were made of, as JSON."""
    data = fitted.data
    return {
        **course(order, settings, data.steps, fitted.epoch),
        "typical": [round(float(value), 4) for value in fitted.learner.typical],
        "data": {name: _summary(fitted, name) for name in data.datasets},
    }


def _summary(fitted: InpainterFit, name: str) -> dict[str, Any]:
    """Counts of one data set in the training part, and the scenes that were kept out of it."""
    data = fitted.data
    records, code = data.store.records, CODES[data.settings.structure]
    chosen = [records[i] for i in data.train if records[i].dataset == name]
    kept_out = data.parts.get("monitor", ())
    return {
        "samples": len(chosen),
        "scenes": len({record.scene for record in chosen}),
        "sensors": sorted({record.sensor for record in chosen}),
        "metres": sorted({record.metres for record in chosen}),
        "simulated": name in simulated(data.store.header.recipe),
        "pixels": sum(record.class_counts[code] for record in chosen),
        "kept_out": sorted({records[i].scene for i in kept_out if records[i].dataset == name}),
    }


def scores(fitted: InpainterFit, order: Order) -> tuple[Mapping[str, Any], ...]:
    """Mean absolute errors in the holes of the scenes kept out, reflectance, by data set."""
    if not fitted.history:
        return ()
    by = f"validation during TrainInpainter, recipe {order.recipe.digest[:8]}"
    found: dict[str, dict[str, float]] = {}
    for name, value in fitted.history[fitted.epoch].items():
        part, _, word = name.rpartition("/")
        if part.startswith("monitor"):
            found.setdefault(part, {})[word] = round(value, 4)
    return tuple({"data": part, "by": by, **words} for part, words in sorted(found.items()))


def notes(fitted: InpainterFit) -> tuple[str, ...]:
    """Limits that a user must know."""
    data = fitted.data
    structure = data.settings.structure
    names = {data.store.records[index].dataset for index in data.train}
    twins = names & simulated(data.store.header.recipe)
    found = [
        f"It paints what is most usual for {structure} in such a place: smoother than any real one."
    ]
    if twins == names:
        found.append(f"All {structure} it has seen is simulated ({', '.join(sorted(twins))}).")
    elif twins:
        found.append(f"Trained in part on simulated images ({', '.join(sorted(twins))}).")
    if not data.parts:
        found.append("No scene was kept out: nothing was measured.")
    elif data.settings.keep == "best":
        found.append("The monitoring scenes of the scores also chose the epoch.")
    return tuple(found)
