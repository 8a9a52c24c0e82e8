"""The evaluate stage: one model, all test data; `counts.json` and pictures of the worst samples.

`counts.json`: `scheme`, `classes`, `model` (what it is), `data` (per test data: facts, `unsuited`
with the reason where the model cannot be scored, `worst` pictures) and `samples` (one record each
with its counts, so that any grouping can be summed up later; files of version 1 of the stage have
no counts of `strata`; `calibration` and `quarter` are there where they are known).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PIL import Image

from nndacss.datasets import Dataset
from nndacss.entries import check_unchanged
from nndacss.evaluate.models import Model, open_model
from nndacss.evaluate.plan import FILE
from nndacss.evaluate.score import SIMULATED, Exposure, Scored, held_out, score, simulated
from nndacss.evaluate.settings import EvaluateSettings, TestData
from nndacss.identity import drafted, load_order, recipe_path
from nndacss.labels import Scheme
from nndacss.metrics.counts import Counts, total
from nndacss.metrics.scores import iou
from nndacss.plugins import load
from nndacss.samples.plan import STORE, build
from nndacss.samples.store import SampleStore
from nndacss.settings import restore
from nndacss.stage import Context, stage_folder
from nndacss.train.settings import TrainSettings
from nndacss.train.split import split

#: Of the train stage's folder.
WEIGHTS = "weights.safetensors"
PICTURES = "worst"


def evaluate_model(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    recipe = context.order.recipe
    settings = cast(EvaluateSettings, restore(recipe.settings, "evaluate"))
    trained = context.input("train")[0] / WEIGHTS if "train" in recipe.inputs else None
    exposed = exposure(context) if trained else Exposure()
    work = [(entry, build(entry, context.order.location)) for entry in settings.test]
    for entry, dataset in work:
        check_unchanged(entry.title, dataset, recipe.inputs[f"test:{entry.title}"])
    names = [held_out(dataset, entry, exposed) for entry, dataset in work]
    model = open_model(recipe.settings["model"], context.order.location, trained, context.threads)
    every, before = max(1, sum(map(len, names))), 0
    results = []
    for (entry, dataset), chosen in zip(work, names, strict=True):
        report = _Part(context, before / every, len(chosen) / every)
        reason = "" if trained else trained_on(model, entry)
        if reason:
            results.append(Scored(entry, unsuited=reason))
        else:
            results.append(score(model, dataset, entry, settings, chosen, report))
        before += len(chosen)
    return write(context.folder, model, settings.tolerance, work[0][1], results)


def exposure(context: Context) -> Exposure:
    """What the trained model has seen, from its own recipe and sample store."""
    train = load_order(recipe_path(context.work, context.order.recipe.inputs["train"])).recipe
    samples = load_order(recipe_path(context.work, train.inputs["samples"]))
    settings = cast(TrainSettings, restore(train.settings, "train"))
    with SampleStore(stage_folder(context.work, samples) / STORE) as store:
        records = store.records
    parts = split(records, settings)
    seen = {records[index].scene for index in (*parts.train, *parts.monitor)}
    left_out = frozenset(records[index].scene for index in parts.held)
    return Exposure(frozenset(seen), left_out if settings.fold >= 0 else None)


def trained_on(model: Model, entry: TestData) -> str:
    """Why weights from elsewhere must not be scored on these data, or "".

    Their card names the data they learned from. Simulated data are another draw under the same
    name, so there it is for the settings to keep seeds apart.
    """
    data = model.facts["training"].get("data", {})
    known = {entry.title, entry.kind} & set(data) if isinstance(data, Mapping) else set()
    if not known or entry.kind in SIMULATED:
        return ""
    return f"was trained on {known.pop()}"


def write(
    folder: Path, model: Model, tolerance: int, dataset: Dataset, results: list[Scored]
) -> Mapping[str, Any]:
    """Pictures, then `counts.json`; returns what a person wants to see at once."""
    scheme: Scheme = load("labels", dataset.scheme)
    data = {}
    for result in results:
        pictures = []
        for place, shown in enumerate(result.worst):
            path = folder / PICTURES / f"{result.entry.title}_{place}.png"
            with drafted(path) as draft:
                Image.fromarray(shown.picture).save(draft, format="PNG", optimize=True)
            file = f"{PICTURES}/{path.name}"
            pictures.append({"file": file, "name": shown.name, "error": round(shown.error, 6)})
        data[result.entry.title] = {
            "kind": result.entry.kind,
            "simulated": simulated(result.entry),
            "cross_validated": result.entry.cross_validated,
            "note": result.entry.note,
            "unsuited": result.unsuited,
            "worst": pictures,
        }
    counts = {
        "scheme": scheme.name,
        "classes": list(scheme.classes),
        "model": dict(model.facts),
        "tolerance": tolerance,
        "data": data,
        "samples": [record for result in results for record in result.samples],
    }
    with drafted(folder / FILE) as draft:
        draft.write_text(json.dumps(counts, indent=1, sort_keys=True, allow_nan=False) + "\n")
    return {result.entry.title: _short(result, scheme) for result in results}


def _short(result: Scored, scheme: Scheme) -> dict[str, Any]:
    pooled = total((Counts.from_json(r["counts"]) for r in result.samples), scheme.classes)
    scores = {name: iou(pooled[name]) for name in scheme.classes}
    return {"samples": len(result.samples), "iou": scores, "unsuited": result.unsuited}


@dataclass(frozen=True)
class _Part:
    """Progress of one test data as progress of the stage."""

    context: Context
    start: float
    share: float

    def __call__(self, fraction: float, message: str) -> None:
        self.context.progress(self.start + fraction * self.share, message)
