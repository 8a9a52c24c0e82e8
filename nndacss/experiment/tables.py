"""Counts as the rows of the report's tables: pooled first, scored last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from nndacss.evaluate.calibration import expected_error, pooled, reliability
from nndacss.evaluate.score import QUARTERS
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
    yield "all", "mean_iou", lambda counts: mean_iou(counts, classes)


def mean_iou(counts: Counts, classes: Sequence[str]) -> float | None:
    """Mean of the classes' IoU, of those that the truth shows; None where it shows none."""
    known = [value for name in classes if (value := METRICS["iou"](counts[name])) is not None]
    return fmean(known) if known else None


def in_order(known: Collection[str], classes: Sequence[str]) -> list[str]:
    """Some of a scheme's classes as tables show them: what is looked for first, the ground last.

    >>> in_order({"clear", "cloud"}, ["clear", "shadow", "snow", "cloud"])
    ['cloud', 'clear']
    """
    listed = [name for name in classes if name in known]
    return listed[::-1] if classes and classes[0] == "clear" else listed


def quarters(
    model: str, title: str, results: list[Result], classes: list[str]
) -> Iterator[dict[str, Any]]:
    """One row a quarter of the year, where the samples tell theirs; over all runs."""
    pools: dict[str, list[Counts]] = {}
    names: dict[str, set[str]] = {}
    known = results[0].counts["model"]["classes"] if results else []
    for result in results:
        for record in result.records(title):
            if "quarter" in record:
                pools.setdefault(record["quarter"], []).append(Counts.from_json(record["counts"]))
                names.setdefault(record["quarter"], set()).add(record["name"])
    for quarter in (name for name in QUARTERS if name in pools):
        counts = total(pools[quarter], classes)
        iou = {name: METRICS["iou"](counts[name]) if name in known else None for name in classes}
        yield {
            "model": model,
            "data": title,
            "quarter": quarter,
            "samples": len(names[quarter]),
            "overall_accuracy": overall_accuracy(counts),
            "mean_iou": mean_iou(counts, known),
            "iou": iou,
        }


def calibrations(model: str, title: str, results: list[Result]) -> Iterator[dict[str, Any]]:
    """One row, where the model gave probabilities: how they agree with what is right."""
    records = (record for result in results for record in result.records(title))
    bins = pooled(record["calibration"] for record in records if "calibration" in record)
    error = expected_error(bins)
    if error is not None:
        yield {"model": model, "data": title, "error": error, "bins": reliability(bins)}


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
