"""Cloud and shadow IoU of our mask beside ukis-csmask 1.0.0, on the same pixels, in one table.

    python benchmarks/mask_models.py --data ../shared/data --result products/mask_.../result.json

Pixels are summed over the images of a family and scored then. Our own rows:
- weights by name, on data they were not trained on (their card says which those are);
- `--result`: the variants of an Experiment. Each scene of cross-validated data is scored by the
  model whose fold left it out; elsewhere it is the mean over the fold models.
ukis-csmask runs at each image's own pixels and, for finer images, averaged to 30 m as its authors
advise; the last row takes the better of the two for each family and class. Pixels that lack any
band count for nobody.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from nndacss.errors import NndacssError
from nndacss.evaluate.baselines import UkisCsmask, missing
from nndacss.evaluate.models import Model, Network
from nndacss.evaluate.score import score
from nndacss.evaluate.settings import EvaluateSettings, TestData
from nndacss.evaluate.stage import trained_on
from nndacss.labels.climate import SCHEME
from nndacss.mask.settings import DEFAULT_WEIGHTS
from nndacss.mask.weights import installed
from nndacss.metrics.counts import Counts, total
from nndacss.metrics.scores import iou
from nndacss.samples.plan import build

#: Family -> kind, folder and options, and the classes that its labels decide.
FAMILIES: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...]]] = {
    "biome_chips": ("biome_chips", "landsat8-biome-chips", {}, ("cloud", "shadow")),
    "biome-4-bands": (
        "biome_chips",
        "landsat8-biome-chips",
        {"roles": ("blue", "green", "red", "nir08")},
        ("cloud", "shadow"),
    ),
    "tm_etm_chips": ("tm_etm_chips", "labelled-other-sensors", {}, ("cloud", "shadow")),
    "alberta": ("sentinel2_chips", "sentinel2-labelled", {}, ("cloud", "shadow")),
    "oncloudn": ("sentinel2_chips", "sentinel2-labelled", {}, ("cloud",)),
    "cloudsen12": (
        "sentinel2_chips",
        "sentinel2-labelled",
        {"visible_only": True},
        ("cloud", "shadow"),
    ),
}

Cell = float | str | None
Row = dict[tuple[str, str], Cell]


def entries(data: Path, families: Iterable[str]) -> list[TestData]:
    """Test data as an Experiment's config has them."""
    found = []
    for name in families:
        kind, folder, options, _ = FAMILIES[name]
        family = {"family": name} if kind == "sentinel2_chips" else {}
        table = {"kind": kind, "name": name, "folder": data / folder, **family, **options}
        found.append(TestData.model_validate(table))
    return found


def measure(model: Model, tests: list[TestData], notes: dict[str, int]) -> Row:
    """IoU per family and class; the reason where a model cannot be scored."""
    row: Row = {}
    for entry in tests:
        dataset = build(entry)
        classes = FAMILIES[entry.title][3]
        reason = trained_on(model, entry)
        if not reason:
            result = score(model, dataset, entry, EvaluateSettings(worst=0), dataset.names())
            reason = result.unsuited
        if reason:
            row |= {(entry.title, name): reason for name in classes}
            continue
        counts = (Counts.from_json(record["counts"]) for record in result.samples)
        pooled = total(counts, SCHEME.classes)
        row |= {(entry.title, name): iou(pooled[name]) for name in classes}
        notes[entry.title] = sum(record["labelled"] for record in result.samples)
    return row


def from_result(path: Path, notes: dict[str, int]) -> dict[str, Row]:
    """The variants of an Experiment's `result.json`; refuses other pixels than ours."""
    found = json.loads(path.read_text())
    for data in found["data"]:
        expected = notes.get(data["title"])
        if expected and data["labelled"] and data["labelled"] != expected:
            raise SystemExit(
                f"{path}: {data['title']} has {data['labelled']} labelled pixels, here {expected}: "
                "not the same data"
            )
    rows: dict[str, Row] = {}
    for model in found["models"]:
        if model["kind"] == "variant":
            word = f"ours, {found['name']} {model['name']}, {model['done']} models"
            rows[word] = {
                (row["data"], row["class"]): row["mean"]
                for row in found["scores"]
                if row["model"] == model["name"] and row["metric"] == "iou" and row["borders"]
            }
    return rows


def better(first: Row, second: Row) -> Row:
    """The larger number of two rows, cell by cell."""
    return {
        key: max(value, second[key])  # type: ignore[type-var]
        if isinstance(value, float) and isinstance(second[key], float)
        else value
        for key, value in first.items()
    }


def show(rows: dict[str, Row], tests: list[TestData], notes: dict[str, int]) -> None:
    """The table."""
    table = Table(title="IoU on the same pixels, pooled counts")
    table.add_column("model")
    columns = [(entry.title, name) for entry in tests for name in FAMILIES[entry.title][3]]
    for title, name in columns:
        table.add_column(f"{title}\n{name}", justify="right")
    for model, row in rows.items():
        cells = [row.get(column) for column in columns]
        table.add_row(
            model, *(f"{cell:.3f}" if isinstance(cell, float) else cell or "" for cell in cells)
        )
    console = Console(width=150)
    console.print(table)
    console.print(
        "Labelled pixels: " + ", ".join(f"{title} {count:,}" for title, count in notes.items())
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", nargs="*", help="names or paths; default: our default ones")
    parser.add_argument("--result", type=Path, nargs="*", default=[], help="of an Experiment")
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    tests = entries(arguments.data, arguments.families)
    chosen = arguments.weights
    if chosen is None:
        chosen = [DEFAULT_WEIGHTS] if installed(DEFAULT_WEIGHTS) else []
    models: dict[str, Callable[[], Model]] = {
        f"ours, {name}": (lambda name=name: Network.load(name)) for name in chosen
    }
    if absent := missing("ukis_csmask"):
        sys.stderr.write(f"ukis-csmask is not installed: {absent}\n")
    else:
        models["ukis-csmask, own pixels"] = UkisCsmask
        models["ukis-csmask, 30 m"] = lambda: UkisCsmask(metres=30.0)
    notes: dict[str, int] = {}
    try:
        measured = {name: measure(model(), tests, notes) for name, model in models.items()}
    except NndacssError as error:
        raise SystemExit(f"error: {error}") from error
    rows: dict[str, Row] = {}
    for path in arguments.result:
        rows |= from_result(path, notes)
    rows |= measured
    if not missing("ukis_csmask"):
        both = better(measured["ukis-csmask, own pixels"], measured["ukis-csmask, 30 m"])
        rows["ukis-csmask, better of both"] = both
    show(rows, tests, notes)
    if arguments.json:
        plain = {m: {f"{d} {c}": v for (d, c), v in row.items()} for m, row in rows.items()}
        arguments.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
