"""Metrics of a batch as a file for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from nndacss.errors import OutputError, complain
from nndacss.operations.outcomes import STATES


def write_metrics(told: Mapping[str, Any], path: Path) -> None:
    """Write the gauges of a batch's totals, whole or not at all.

    `path` must end in `.prom`, or the collector passes it over.
    """
    if path.suffix != ".prom":
        remedy = "the collector reads no other; rename it"
        raise OutputError(complain(path, path.suffix or "no ending", "a name in .prom", remedy))
    registry = CollectorRegistry()
    _scenes(told, registry)
    _costs(told, registry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), registry)
    except OSError as error:
        found = error.strerror or str(error)
        expected = "a file in the collector's folder"
        raise OutputError(complain(path, found, expected, "check --metrics")) from error


def _scenes(told: Mapping[str, Any], registry: CollectorRegistry) -> None:
    scenes = Gauge("nndacss_batch_scenes", "Scenes by state", ["state"], registry=registry)
    for state in STATES:
        scenes.labels(state).set(told["totals"][state])
    times = {"started": told["begun"]["started"], "ended": told["ended"]}
    for name, moment in times.items():
        if moment:
            text = f"When the latest batch {name}, seconds since 1970"
            gauge = Gauge(f"nndacss_batch_{name}_timestamp_seconds", text, registry=registry)
            gauge.set(datetime.fromisoformat(moment).timestamp())
    whole = Gauge("nndacss_batch_success", "1 where every scene has its product", registry=registry)
    wrong = told["totals"]["failed"] + told["totals"]["unfinished"]
    whole.set(not (wrong or told["error"]))
    duration = Gauge("nndacss_batch_duration_seconds", "From begin to end", registry=registry)
    duration.set(told["elapsed"])


def _costs(told: Mapping[str, Any], registry: CollectorRegistry) -> None:
    made = Gauge("nndacss_batch_product_bytes", "Products made, bytes", registry=registry)
    made.set(told["totals"]["gigabytes"] * 1e9)
    by_stage = {
        "seconds": ("nndacss_batch_stage_seconds", "Seconds by stage, all scenes", 1),
        "peak_mib": ("nndacss_batch_stage_peak_bytes", "Peak memory by stage", 2**20),
    }
    for key, (name, text, factor) in by_stage.items():
        gauge = Gauge(name, text, ["stage"], registry=registry)
        for stage, value in told["totals"][key].items():
            gauge.labels(stage).set(value * factor)
    free = Gauge("nndacss_free_bytes", "Free on the disk of a root", ["root"], registry=registry)
    for root, gigabytes in told["free_gigabytes"].items():
        free.labels(root).set(gigabytes * 1e9)
