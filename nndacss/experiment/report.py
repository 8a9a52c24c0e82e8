"""The report of an experiment: one page, no outside address, from what `result.json` holds."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from nndacss.datasets import STRATA
from nndacss.experiment.differences_page import Differences
from nndacss.experiment.results import Result
from nndacss.experiment.tables import in_order
from nndacss.page import template
from nndacss.plugins import load

#: Metric -> words of a table's head.
WORDS = {
    "iou": "IoU",
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    "balanced_accuracy": "Bal. accuracy",
    "accuracy": "Accuracy",
    "overall_accuracy": "Overall accuracy",
    "mean_iou": "Mean IoU",
}
#: Stratum -> the class that it is hard for, and its word there; other classes are in the files.
PARTS = {"water": ("shadow", "water"), "snow_below": ("cloud", "snow")}


def worst(results: Iterable[Result]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The worst samples of every model and test data, and their pictures as data URIs."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    most: dict[tuple[str, str], int] = {}
    for result in results:
        for title, data in result.counts["data"].items():
            place = (result.model, title)
            most[place] = max(most.get(place, 0), len(data["worst"]))
            for shown in data["worst"]:
                path = result.folder / shown["file"]
                row = {"model": result.model, "data": title, "run": result.key}
                row |= {"name": shown["name"], "error": shown["error"], "path": path}
                found.setdefault(place, []).append(row)
    rows: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    for place, all_ in found.items():
        for row in sorted(all_, key=lambda row: -row["error"])[: most[place]]:
            path = row.pop("path")
            row["picture"] = f"{path.parent.parent.name}/{path.name}"
            data = base64.b64encode(path.read_bytes()).decode()
            pictures[row["picture"]] = f"data:image/png;base64,{data}"
            rows.append(row)
    return rows, pictures


def render(found: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """The page."""
    scheme = load("labels", found["scheme"]) if found["scheme"] else None
    table = Table(found)
    page: str = template("nndacss.experiment", "report.html.j2").render(
        r=found,
        table=table,
        differences=Differences(found),
        words=WORDS,
        pictures={key: Markup(uri) for key, uri in pictures.items()},
        colours=dict(zip(scheme.classes, scheme.colours, strict=True)) if scheme else {},
        groups=[
            (title, [data for data in found["data"] if data["simulated"] == simulated])
            for title, simulated in (("Real data", False), ("Simulated data", True))
        ],
    )
    return page


class Table:
    """Cells of the tables, looked up in the result."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self._scores = {
            (row["model"], row["data"], row["class"], row["metric"], row["borders"], ""): row
            for row in found["scores"]
        } | {
            (row["model"], row["data"], row["class"], row["metric"], True, row["part"]): row
            for row in found["parts"]
        }
        self._unsuited = {(row["model"], row["data"]): row["reason"] for row in found["unsuited"]}
        self._scenes = {(row["model"], row["data"], row["scene"]): row for row in found["scenes"]}

    def classes(self, data: str, metric: str = "iou") -> list[str]:
        """Classes that some model has a score of on these data; the ground itself comes last."""
        known = {key[2] for key in self._scores if key[1] == data and key[3:] == (metric, True, "")}
        return in_order(known, self._found["classes"])

    def unsuited(self, model: str, data: str) -> str:
        """Why there is no score, or ""."""
        reason: str = self._unsuited.get((model, data), "")
        return reason

    def parts(self, data: str) -> list[dict[str, Any]]:
        """Strata with the class that is scored in each, where some model has a score of it."""
        compared = {(row["data"], row["part"], row["class"]) for row in self._found["differences"]}
        return [
            {
                "name": part,
                "label": label,
                "title": f"{label} over {ground}",
                "where": f"where {STRATA[part]} is the ground",
                "metrics": self._found["metrics"],
                "compared": (data, part, label) in compared,
            }
            for part, (label, ground) in PARTS.items()
            if any(key[1:] == (data, label, "iou", True, part) for key in self._scores)
        ]

    def cell(
        self,
        model: str,
        data: str,
        name: str,
        metric: str,
        borders: bool = True,
        part: str = "",
    ) -> Markup:
        """A score with its deviation; the column's best is marked. `part` is a stratum."""
        row = self._scores.get((model, data, name, metric, borders, part))
        if row is None:
            return Markup('<td class="none">none</td>')
        column = [
            other["mean"]
            for key, other in self._scores.items()
            if key[1:] == (data, name, metric, borders, part)
        ]
        best = len(column) > 1 and row["mean"] == max(column)
        deviation = row["deviation"]
        spread = "" if deviation is None else f" \N{PLUS-MINUS SIGN} {deviation:.3f}"
        ends = f"runs {row['lowest']:.3f} to {row['highest']:.3f}" if row["runs"] > 1 else ""
        return Markup('<td{}><data value="{}" title="{}">{:.3f}</data>{}</td>').format(
            Markup(' class="best"') if best else "",
            repr(row["mean"]),
            ends,
            row["mean"],
            Markup('<span class="soft">{}</span>').format(spread) if spread else "",
        )

    def scenes(self, data: str) -> list[str]:
        """Scenes of the test data that some model scored."""
        return sorted({key[2] for key in self._scenes if key[1] == data})

    def scene(self, model: str, data: str, scene: str, name: str) -> float | None:
        """IoU of a class on one scene."""
        row = self._scenes.get((model, data, scene))
        value: float | None = row["iou"][name] if row else None
        return value

    def labelled(self, data: str, scene: str) -> int:
        """Labelled pixels of a scene, of the model that saw it most often."""
        rows = [row for key, row in self._scenes.items() if key[1:] == (data, scene)]
        return max(int(row["labelled"]) for row in rows)
