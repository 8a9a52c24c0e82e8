"""A finished fit of a harmonizer as weights with a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nndacss.harmonizer.fit import LEAST_SNOW, Calibrated, HarmonizerFit
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.identity import Order
from nndacss.models.card import save_weights
from nndacss.models.detail import DetailArchitecture
from nndacss.models.harmonizer_card import INPUTS, HarmonizerCard
from nndacss.sensors import REFLECTIVE
from nndacss.train.provenance import course, stored

#: Kind of pair -> what of it no satellite saw.
SIMULATED = {"twin": "input and target", "degraded": "input", "same_day": "nothing"}


def export(
    fitted: HarmonizerFit,
    calibrated: Calibrated | None,
    settings: HarmonizerSettings,
    order: Order,
    path: Path,
) -> HarmonizerCard:
    """Write `<path>.safetensors` and `<path>.json`; returns the card as written."""
    architecture = settings.built
    own = isinstance(architecture, DetailArchitecture)
    card = HarmonizerCard(
        name=order.name,
        purpose=settings.purpose,
        roles=INPUTS,
        family=settings.family,
        architecture=architecture.model_dump(mode="json"),
        target=settings.target,
        deviation="predicted" if own else "ensemble",
        pan="known" if own else "synthetic",
        multiple=settings.multiple,
        reach=architecture.reach if isinstance(architecture, DetailArchitecture) else 0,
        snow=round(calibrated.snow, 3) if calibrated else 1.0,
        training=training(fitted, calibrated, settings, order),
        scores=scores(calibrated, order),
        licence=settings.licence,
        notes=notes(fitted, calibrated, settings),
        sha256="",
    )
    return save_weights(card, stored(fitted.learner.result, settings), path)


def training(
    fitted: HarmonizerFit, calibrated: Calibrated | None, settings: HarmonizerSettings, order: Order
) -> Mapping[str, Any]:
    """What the weights were made of, as JSON."""
    factor = calibrated.factor if calibrated else ()
    return {
        **course(order, settings, fitted.data.steps, fitted.epoch),
        "calibration": {
            role: round(value, 3) for role, value in zip(REFLECTIVE, factor, strict=False)
        },
        "data": {name: _summary(fitted, name) for name in fitted.data.datasets},
    }


def _summary(fitted: HarmonizerFit, name: str) -> dict[str, Any]:
    """Counts of one source in the training part, and the scenes that were kept out of it."""
    records, parts = fitted.data.store.records, fitted.data.split
    chosen = [records[i] for i in parts.train if records[i].dataset == name]
    kept_out = {records[i].scene for i in parts.monitor if records[i].dataset == name}
    (kind,) = {record.kind for record in records if record.dataset == name}
    return {
        "kind": kind,
        "simulated": SIMULATED[kind],
        "pairs": len(chosen),
        "scenes": len({record.scene for record in chosen}),
        "levels": dict(sorted(Counter(record.level for record in chosen).items())),
        "coarse_truth": sum(record.coarse_truth for record in chosen),
        "kept_out": {"monitor": sorted(kept_out)},
    }


def scores(calibrated: Calibrated | None, order: Order) -> tuple[Mapping[str, Any], ...]:
    """What the monitoring pairs say of the weights as they are, by kind of pair."""
    if calibrated is None:
        return ()
    by = f"monitoring scenes of TrainHarmonizer, recipe {order.recipe.digest[:8]}"
    found: dict[str, dict[str, float]] = {}
    for name, value in calibrated.totals.scores().items():
        kind, _, word = name.partition("/")
        if word:
            digits = 2 if "psnr" in word else 5
            found.setdefault(kind, {})[word] = round(value, digits)
    return tuple(
        {"data": kind, "simulated": SIMULATED[kind], "by": by, **words}
        for kind, words in sorted(found.items())
    )


def notes(
    fitted: HarmonizerFit, calibrated: Calibrated | None, settings: HarmonizerSettings
) -> tuple[str, ...]:
    """Limits that follow from the training data."""
    records, chosen = fitted.data.store.records, fitted.data.split.train
    kinds = {records[index].kind for index in chosen}
    found = []
    if "twin" in kinds:
        found.append("Trained in part on simulated pairs: neither side of them was observed.")
    if "degraded" in kinds:
        found.append(
            "Trained in part on Sentinel-2 images degraded to Landsat's view: their input was "
            "computed, not observed."
        )
    if any(records[index].level == "TOA" for index in chosen):
        found.append("Some pairs are of top-of-atmosphere reflectance, used as if of the surface.")
    if "same_day" not in kinds:
        found.append("No pair shows one place through both satellites.")
    if calibrated is None:
        found.append("No scene was kept out: nothing was measured.")
    elif settings.keep == "best":
        found.append("The monitoring scenes of the scores also chose the epoch.")
    if calibrated and calibrated.factor:
        found.append("The monitoring scenes of the scores also calibrated the standard deviations.")
        if calibrated.snow_pixels < LEAST_SNOW * len(REFLECTIVE):
            found.append("Too little snow to measure: the standard deviation there is not checked.")
    return tuple(found)
