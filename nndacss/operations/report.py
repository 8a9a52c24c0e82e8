"""`python -m nndacss.operations.report BATCH --work W --to FOLDER`: what became of a batch.

Writes `<batch>.html` (one file, no outside address), `.csv` (a row a scene) and `.json` (every
number of the page), the same again as `latest.*`, and metrics where asked; prints the totals as
JSON. A child process, since it opens pictures.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nndacss.chain import STAGES
from nndacss.errors import NndacssError, OutputError, complain
from nndacss.estimate import free_mb
from nndacss.identity import drafted
from nndacss.operations import thumbnails
from nndacss.operations.batch import Batch
from nndacss.operations.metrics import write_metrics
from nndacss.operations.outcomes import STATES, Outcome, outcomes, totals
from nndacss.operations.roots import Root, open_root
from nndacss.operations.sizes import text as size_text
from nndacss.page import template

#: Scenes whose picture is on the page; more would make it slow to open.
PICTURES = 200
COLUMNS = (
    *("scene", "state", "reason", "stage", "attempts", "acquired", "product", "megabytes"),
    *("clear", "cloud", "shadow", "snow"),
    *(f"{stage}_seconds" for stage in STAGES),
    *("seconds", "peak_mib", "path", "folder"),
)


def collect(batch: Batch, work: Path) -> dict[str, Any]:
    """Everything that the report says, as plain JSON."""
    begun, ended = batch.read("begun.json"), batch.read("ended.json") or {}
    found = outcomes(batch, work)
    running = not ended and batch.running()
    started = datetime.fromisoformat(begun["started"])
    now = datetime.now(UTC)
    until = datetime.fromisoformat(ended["ended"]) if ended else now
    error = ended.get("error", "")
    if not (found or error or running):
        error = "the run ended before it had a list of scenes"
    root = open_root(begun["output_root"])
    disks = {"work": work, **({"products": root.disk} if root.disk else {})}
    return {
        "batch": batch.id,
        "begun": begun,
        "ended": ended.get("ended"),
        "error": error,
        "running": running,
        "elapsed": ended.get("elapsed", (until - started).total_seconds()),
        "age": (now - started).total_seconds(),
        "totals": totals(found),
        "rows": [_row(outcome, root) for outcome in found],
        "free_gigabytes": {name: free_mb(disk) / 1e3 for name, disk in disks.items()},
    }


def _row(outcome: Outcome, root: Root) -> dict[str, Any]:
    properties = outcome.item.get("properties", {})
    planned = outcome.planned
    made = {f"{stage}_seconds": outcome.seconds.get(stage) for stage in STAGES}
    return {
        "scene": planned.id,
        "state": outcome.state,
        "reason": outcome.reason,
        "stage": outcome.stage,
        "attempts": outcome.attempts,
        "acquired": planned.acquired,
        "product": planned.target if planned.digest else "",
        "megabytes": round(outcome.megabytes, 3),
        **_cover(properties),
        **made,
        "seconds": round(sum(outcome.seconds.values()), 3) if outcome.seconds else None,
        "peak_mib": max(outcome.peak_mib.values(), default=None),
        "path": planned.path,
        "folder": f"{root.address}/{planned.target}" if outcome.item else "",
    }


def _cover(properties: Mapping[str, Any]) -> dict[str, float | None]:
    """Per cent of the valid pixels."""
    cloud, snow = properties.get("eo:cloud_cover"), properties.get("eo:snow_cover")
    shadow = properties.get("nndacss:shadow_cover")
    known = [share for share in (cloud, shadow, snow) if share is not None]
    clear = round(max(100 - sum(known), 0), 2) if len(known) == 3 else None
    return {"clear": clear, "cloud": cloud, "shadow": shadow, "snow": snow}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row a scene, with a header; empty where a number does not apply."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def as_page(told: Mapping[str, Any], folder: Path) -> str:
    """The page; links lead from `folder` to the products."""
    root = open_root(told["begun"]["output_root"])
    made = [row["product"] for row in told["rows"] if row["folder"]]
    pictures = {
        product: Markup(picture)
        for product in made[:PICTURES]
        if (picture := thumbnails.thumbnail(root, product))
    }
    links = {product: root.link(product, "report.html", folder) for product in made}
    page = template("nndacss.operations", "report.html.j2")
    return page.render(
        r=told,
        t=told["totals"],
        states=STATES,
        stages=STAGES,
        pictures=pictures,
        links=links,
        size=size_text,
        time=_time,
    )


def _time(seconds: float | None) -> str:
    """Time for people.

    >>> _time(8.4), _time(75), _time(7300)
    ('8.4 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def write_report(told: Mapping[str, Any], folder: Path) -> None:
    """All files of the report."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = error.strerror or str(error)
        remedy = "choose another --report-root"
        raise OutputError(complain(folder, found, "a folder to write to", remedy)) from error
    contents = {
        "html": as_page(told, folder),
        "csv": as_csv(told["rows"]),
        "json": json.dumps(told, indent=1, sort_keys=True) + "\n",
    }
    for name in (told["batch"], "latest"):
        for suffix, content in contents.items():
            with drafted(folder / f"{name}.{suffix}") as draft:
                draft.write_text(content, encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Report what became of a batch.")
    parser.add_argument("batch", type=Path, help="<work>/batches/<id>")
    parser.add_argument("--work", type=Path, required=True, help="work root")
    parser.add_argument("--to", type=Path, required=True, help="folder of the reports")
    parser.add_argument("--metrics", type=Path, help="file for Prometheus' textfile collector")
    arguments = parser.parse_args(argv)
    try:
        told = collect(Batch(arguments.batch), arguments.work)
        write_report(told, arguments.to)
        if arguments.metrics:
            write_metrics(told, arguments.metrics)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    brief = {key: told[key] for key in ("error", "running", "elapsed", "age")}
    sys.stdout.write(json.dumps({**brief, **told["totals"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
