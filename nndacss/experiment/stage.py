"""The experiment stage: counts of all runs in, `report.html`, CSV and JSON out.

result.json     everything that the report says; written last, so that its presence means done
report.html     the same for people, in one file with its pictures
scores.csv      one row a model, test data, class and metric
scenes.csv      one row a model, test data and scene
confusion.csv   one row a model, test data and true class
parts.csv       as scores.csv, of parts of the images: water and snow on the ground
differences.csv one row a model, test data, part and class: IoU less that of the reference
quarters.csv    one row a model, test data and quarter of the year, where dates are known
calibration.csv one row a model, test data and bin of probability, where models give them
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nndacss.experiment.report import render, worst
from nndacss.experiment.results import collect
from nndacss.experiment.summary import summarise
from nndacss.identity import Order
from nndacss.product.report import write_json, write_text
from nndacss.stage import Context

RESULT = "result.json"


def sum_up(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    folder = context.output / context.order.target
    return write_report(context.work, context.order, folder)


def write_report(work: Path, order: Order, folder: Path) -> Mapping[str, Any]:
    """All files into `folder`, from the runs that are done; returns a few facts."""
    results, pending = collect(work, order)
    found = summarise(order, results, pending)
    found["worst"], pictures = worst(results)
    write_text(_csv(found["scores"]), folder / "scores.csv")
    write_text(_csv(_flat_scenes(found)), folder / "scenes.csv")
    write_text(_csv(_flat_confusion(found)), folder / "confusion.csv")
    write_text(_csv(found["parts"]), folder / "parts.csv")
    write_text(_csv(found["differences"]), folder / "differences.csv")
    for name, rows in (("quarters", _flat_quarters(found)), ("calibration", _flat_bins(found))):
        if listed := list(rows):
            write_text(_csv(listed), folder / f"{name}.csv")
    write_text(render(found, pictures), folder / "report.html")
    write_json(found, folder / RESULT)
    return {"runs": len(results), "pending": len(pending)}


def _flat_scenes(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for row in found["scenes"]:
        plain = {key: row[key] for key in ("model", "data", "scene", "labelled")}
        iou = {f"iou_{name}": value for name, value in row["iou"].items()}
        false = {f"false_{name}": value for name, value in row["false_pixels"].items()}
        yield plain | iou | false


def _flat_quarters(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for row in found["quarters"]:
        plain = {key: value for key, value in row.items() if key != "iou"}
        yield plain | {f"iou_{name}": value for name, value in row["iou"].items()}


def _flat_bins(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for row in found["calibration"]:
        for one in row["bins"]:
            yield {"model": row["model"], "data": row["data"], **one}


def _flat_confusion(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    names = [*found["classes"], "nothing"]
    for table in found["confusion"]:
        for true, row in zip(found["classes"], table["pixels"], strict=True):
            plain = {"model": table["model"], "data": table["data"], "true": true}
            yield plain | {f"said_{n}": value for n, value in zip(names, row, strict=True)}


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """A table with the first row's keys as its head; None is an empty cell."""
    listed = list(rows)
    stream = io.StringIO()
    if listed:
        writer = csv.DictWriter(stream, list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
    return stream.getvalue()
