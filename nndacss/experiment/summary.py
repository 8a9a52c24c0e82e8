"""Counts of all runs as tables: pooled first, scored last.

A unit is what a mean and a spread are taken over. On cross-validated data each scene is scored by
one fold's model, so a seed's folds are pooled and the unit is the seed; on other data every run
scores every sample, and the unit is the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from nndacss.evaluate.plan import FILE
from nndacss.experiment.settings import ExperimentSettings, Variant
from nndacss.identity import Order, load_order, recipe_path
from nndacss.metrics.counts import Counts, total
from nndacss.metrics.scores import METRICS, overall_accuracy, spread
from nndacss.settings import restore
from nndacss.stage import DONE, stage_folder


@dataclass(frozen=True)
class Result:
    """One run that is done."""

    key: str
    model: str
    kind: str
    seed: int | None
    fold: int | None
    folder: Path
    digest: str
    counts: Mapping[str, Any]
    """Its `counts.json`."""
    settings: Mapping[str, Any]
    """Stage -> what differs from the defaults, of samples, train and evaluate."""


def collect(work: Path, order: Order) -> tuple[list[Result], list[str]]:
    """What is done of an experiment's runs, in its order, and the keys of what is not."""
    done, pending = [], []
    for book in order.recipe.settings["plan"]["runs"]:
        key, digest = book["key"], order.recipe.inputs[book["key"]]
        evaluate = load_order(recipe_path(work, digest))
        folder = stage_folder(work, evaluate)
        if (folder / DONE).exists():
            counts = json.loads((folder / FILE).read_text())
            done.append(
                Result(
                    **book,
                    folder=folder,
                    digest=digest,
                    counts=counts,
                    settings=_settings(work, evaluate),
                )
            )
        else:
            pending.append(key)
    return done, pending


def _settings(work: Path, evaluate: Order) -> dict[str, Any]:
    """Stage -> section -> changed settings, from the recipe back to its samples."""
    found = {"evaluate": evaluate.recipe.settings.get("evaluate", {})}
    if trained := evaluate.recipe.inputs.get("train"):
        train = load_order(recipe_path(work, trained)).recipe
        samples = load_order(recipe_path(work, train.inputs["samples"])).recipe
        found["train"] = train.settings.get("train", {})
        found["samples"] = samples.settings.get("samples", {})
    return found


def summarise(order: Order, results: list[Result], pending: list[str]) -> dict[str, Any]:
    """Everything that the report says, as plain JSON."""
    own = order.recipe.settings
    settings = cast(ExperimentSettings, restore(own, "experiment"))
    classes = results[0].counts["classes"] if results else []
    plan = own["plan"]
    titles = [about["title"] for about in plan["data"]]
    models = list(dict.fromkeys(book["model"] for book in plan["runs"]))
    scores, confusion, scenes, unsuited = [], [], [], []
    for model in models:
        mine = [result for result in results if result.model == model]
        for title in titles:
            pools = units(mine, title)
            if not pools:
                unsuited += _reasons(model, title, mine)
                continue
            for which in ("counts", "edgeless"):
                scores += list(_scores(model, title, mine, classes, which))
            pixels = total(pools, classes).to_json()["confusion"]
            confusion.append({"model": model, "data": title, "pixels": pixels})
            scenes += list(_scenes(model, title, mine, classes))
    return {
        "name": order.name,
        "digest": order.recipe.digest,
        "note": own["experiment"].get("note", ""),
        "complete": not pending,
        "pending": pending,
        "losses": plan["losses"],
        "metrics": settings.metrics,
        "first_metric": settings.metrics[0],
        "tolerance": _tolerance(results),
        "spread": _over(settings, titles, results),
        "classes": classes,
        "scheme": results[0].counts["scheme"] if results else "",
        "data": [_data(about, results) for about in plan["data"]],
        "models": [_model(name, own, results, pending) for name in models],
        "scores": scores,
        "confusion": confusion,
        "scenes": scenes,
        "unsuited": unsuited,
        "thresholds": list(_thresholds(own, scores)),
    }


def _tolerance(results: list[Result]) -> int:
    """Pixels around borders that the second set of scores leaves out; 0 where there is none."""
    return max((result.counts["tolerance"] for result in results), default=0)


def _over(settings: ExperimentSettings, titles: list[str], results: list[Result]) -> str:
    """What the deviations are over, in words; "" where nothing was repeated."""
    folded = any(
        result.counts["data"][title]["cross_validated"] for result in results for title in titles
    )
    over = []
    if len(settings.seeds) > 1:
        over.append(f"{len(settings.seeds)} seeds")
    if settings.folds and not (folded and len(titles) == 1):
        over.append(f"{settings.folds} folds where data are not cross-validated")
    return " and ".join(over)


def units(
    results: Iterable[Result], title: str, which: str = "counts", fold_by_fold: bool = False
) -> list[Counts]:
    """Pooled counts of every unit (or of every run) that scored the test data `title`."""
    pools: dict[str, list[Counts]] = {}
    classes: list[str] = []
    for result in results:
        classes = result.counts["classes"]
        folded = result.counts["data"][title]["cross_validated"] and result.fold is not None
        unit = f"seed {result.seed}" if folded and not fold_by_fold else result.key
        for record in _records(result, title):
            if which in record:
                pools.setdefault(unit, []).append(Counts.from_json(record[which]))
    return [total(pool, classes) for pool in pools.values()]


def _records(result: Result, title: str) -> list[dict[str, Any]]:
    return [record for record in result.counts["samples"] if record["data"] == title]


def _scores(
    model: str, title: str, results: list[Result], classes: list[str], which: str
) -> Iterator[dict[str, Any]]:
    """One row a class and metric: mean and deviation over units, ends over single runs."""
    pools = units(results, title, which)
    runs = units(results, title, which, fold_by_fold=True)
    row = {"model": model, "data": title, "borders": which == "counts"}
    known = results[0].counts["model"]["classes"]
    for name, metric, function in _functions([name for name in classes if name in known]):
        found = spread(function(pool) for pool in pools)
        if found.mean is not None:
            single = [value for pool in runs if (value := function(pool)) is not None]
            measured = {"mean": found.mean, "deviation": found.deviation, "units": found.runs}
            ends = {"lowest": min(single), "highest": max(single), "runs": len(single)}
            yield row | {"class": name, "metric": metric} | measured | ends


def _functions(
    classes: list[str],
) -> Iterator[tuple[str, str, Callable[[Counts], float | None]]]:
    """Class, metric and how it comes out of counts."""
    for name in classes:
        for metric, function in METRICS.items():
            yield name, metric, lambda counts, n=name, f=function: f(counts[n])  # type: ignore[misc]
    yield "all", "overall_accuracy", overall_accuracy


def _scenes(
    model: str, title: str, results: list[Result], classes: list[str]
) -> Iterator[dict[str, Any]]:
    """One row a scene: all samples of it, over all runs."""
    pools: dict[str, list[Counts]] = {}
    labelled: dict[str, dict[str, int]] = {}
    known = results[0].counts["model"]["classes"] if results else []
    for result in results:
        for record in _records(result, title):
            scene = record["scene"]
            pools.setdefault(scene, []).append(Counts.from_json(record["counts"]))
            labelled.setdefault(scene, {})[record["name"]] = record["labelled"]
    for scene, pool in sorted(pools.items()):
        counts = total(pool, classes)
        iou = {n: METRICS["iou"](counts[n]) if n in known else None for n in classes}
        false = {name: counts[name].fp for name in classes}
        row = {
            "model": model,
            "data": title,
            "scene": scene,
            "labelled": sum(labelled[scene].values()),
        }
        yield row | {"iou": iou, "false_pixels": false}


def _reasons(model: str, title: str, results: list[Result]) -> list[dict[str, Any]]:
    """Why a model has no scores on these data, where it says so."""
    reasons = {result.counts["data"][title]["unsuited"] for result in results} - {""}
    return (
        [{"model": model, "data": title, "reason": "; ".join(sorted(reasons))}] if reasons else []
    )


def _data(about: Mapping[str, Any], results: list[Result]) -> dict[str, Any]:
    """What test data are, with what was seen when they were scored."""
    title = about["title"]
    records = {
        record["name"]: record for result in results for record in _records(result, title)
    }.values()
    told = (result.counts["data"][title] for result in results)
    facts: Mapping[str, Any] = next(told, {})
    return {
        **about,
        "simulated": facts.get("simulated", False),
        "cross_validated": facts.get("cross_validated", False),
        "note": facts.get("note", ""),
        "scored": len(records),
        "labelled": sum(record["labelled"] for record in records),
        "metres": sorted({record["metres"] for record in records}),
        "sensors": sorted({record["sensor"] for record in records}),
        "levels": sorted({record["level"] for record in records}),
    }


def _model(
    name: str, own: Mapping[str, Any], results: list[Result], pending: list[str]
) -> dict[str, Any]:
    """A variant or baseline with its runs."""
    book = {run["key"]: run for run in own["plan"]["runs"] if run["model"] == name}
    mine = [result for result in results if result.model == name]
    variants = {entry["name"]: entry for entry in own["experiment"].get("variants", ())}
    facts: Mapping[str, Any] = mine[0].counts["model"] if mine else {}
    runs = [{"key": r.key, "digest": r.digest, "seed": r.seed, "fold": r.fold} for r in mine]
    return {
        "name": name,
        "kind": next(iter(book.values()))["kind"],
        "note": variants.get(name, {}).get("note", ""),
        "changes": _lines(variants[name]) if name in variants else [],
        "settings": mine[0].settings if mine else {},
        "runs": runs,
        "done": len(runs),
        "planned": len(book),
        "pending": [key for key in pending if key in book],
        "is": facts.get("name", ""),
        "learned": _learned(facts.get("training", {}).get("data", {})),
    }


def _lines(variant: Mapping[str, Any]) -> list[str]:
    """What a variant sets, one `section.key = value` each."""
    changes = Variant.model_validate(variant).changes()
    return [f"{s}.{key} = {value}" for s, keys in changes.items() for key, value in keys.items()]


def _learned(data: Any) -> list[str]:
    """Training data in words, from a card."""
    if not isinstance(data, Mapping):
        return [str(data)] if data else []
    return [
        f"{name} ({'simulated, ' if about.get('simulated') else ''}{about.get('samples', 0)} "
        f"samples of {about.get('scenes', 0)} scenes)"
        for name, about in data.items()
    ]


def _thresholds(own: Mapping[str, Any], scores: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every wanted score beside what each model reaches; None where it has none."""
    models = list(dict.fromkeys(book["model"] for book in own["plan"]["runs"]))
    for wanted in own["experiment"].get("thresholds", ()):
        metric = wanted.get("metric", "iou")
        for model in models:
            place = (model, wanted["data"], wanted["label"], metric, True)
            reached = next((row["mean"] for row in scores if _place(row) == place), None)
            met = None if reached is None else reached >= wanted["at_least"]
            yield {"model": model, **wanted, "metric": metric, "reached": reached, "met": met}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["model"], row["data"], row["class"], row["metric"], row["borders"]
