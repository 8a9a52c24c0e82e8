"""Counts as the rows of the report's tables: pooled first, scored last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nndacss.experiment.results import Result, units
from nndacss.metrics.counts import Counts, total
from nndacss.metrics.scores import METRICS, overall_accuracy, spread


def scores(
    row: Mapping[str, Any], results: list[Result], classes: list[str], which: str = "counts"
) -> Iterator[dict[str, Any]]:
    """One row a class and metric: mean and deviation over units, ends over single runs.

    `row` is what all rows begin with, its `data` the test data; `which` counts of a sample:
    `counts`, `edgeless`, or a stratum.
    """
    title = row["data"]
    pools = units(results, title, which)
    runs = units(results, title, which, fold_by_fold=True)
    known = results[0].counts["model"]["classes"]
    for name, metric, function in _functions([name for name in classes if name in known]):
        found = spread(function(pool) for pool in pools)
        if found.mean is not None:
            single = [value for pool in runs if (value := function(pool)) is not None]
            measured = {"mean": found.mean, "deviation": found.deviation, "units": found.runs}
            ends = {"lowest": min(single), "highest": max(single), "runs": len(single)}
            yield {**row, "class": name, "metric": metric, **measured, **ends}


def _functions(
    classes: list[str],
) -> Iterator[tuple[str, str, Callable[[Counts], float | None]]]:
    """Class, metric and how it comes out of counts."""
    for name in classes:
        for metric, function in METRICS.items():
            yield name, metric, lambda counts, n=name, f=function: f(counts[n])  # type: ignore[misc]
    yield "all", "overall_accuracy", overall_accuracy


def scenes(
    model: str, title: str, results: list[Result], classes: list[str]
) -> Iterator[dict[str, Any]]:
    """One row a scene: all samples of it, over all runs."""
    pools: dict[str, list[Counts]] = {}
    labelled: dict[str, dict[str, int]] = {}
    known = results[0].counts["model"]["classes"] if results else []
    for result in results:
        for record in result.records(title):
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


def thresholds(own: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every wanted score beside what each model reaches; None where it has none.

    `own` are the settings of the experiment's recipe, `rows` what `scores` gave.
    """
    models = list(dict.fromkeys(book["model"] for book in own["plan"]["runs"]))
    for wanted in own["experiment"].get("thresholds", ()):
        metric = wanted.get("metric", "iou")
        for model in models:
            place = (model, wanted["data"], wanted["label"], metric, True)
            reached = next((row["mean"] for row in rows if _place(row) == place), None)
            met = None if reached is None else reached >= wanted["at_least"]
            yield {"model": model, **wanted, "metric": metric, "reached": reached, "met": met}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["model"], row["data"], row["class"], row["metric"], row["borders"]
