"""What became of each scene of a batch: read from products and failure records, not remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from nndacss.operations import failures, products
from nndacss.operations.batch import Batch
from nndacss.operations.plans import Planned
from nndacss.operations.products import Product
from nndacss.operations.roots import open_root
from nndacss.stage import run_record

State = Literal["done", "skipped", "failed", "unfinished"]
#: All states, as they are told.
STATES: tuple[State, ...] = ("done", "skipped", "failed", "unfinished")


@dataclass(frozen=True)
class Outcome:
    """One scene of a batch at this moment."""

    planned: Planned
    state: State
    reason: str = ""
    """Why it was skipped, failed, or is not finished; of one that is done, what was lost."""
    stage: str = ""
    """Where it failed."""
    attempts: int = 0
    """Runs in which it failed, one after the other."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage -> seconds, of those that this batch ran."""
    peak_mib: Mapping[str, int] = field(default_factory=dict)
    """Stage -> peak memory."""
    megabytes: float = 0.0
    """Of the product."""
    item: Mapping[str, Any] = field(default_factory=dict)
    """The product's STAC item."""


def outcomes(batch: Batch, work: Path) -> list[Outcome]:
    """Every scene of a batch, in the order of its list."""
    begun = batch.read("begun.json")
    root = open_root(begun["output_root"])
    scenes = batch.plan()
    made = products.find_all(root, (scene.target for scene in scenes if scene.digest))
    over = batch.ended.exists() or not batch.running()
    started = datetime.fromisoformat(begun["started"])
    found = [(scene, made.get(scene.target) if scene.digest else None) for scene in scenes]
    return [_outcome(scene, product, batch.id, work, started, over) for scene, product in found]


def _outcome(
    planned: Planned, product: Product | None, batch: str, work: Path, started: datetime, over: bool
) -> Outcome:
    if product is not None and product.fault:
        return Outcome(planned, "failed", product.complaint, "product", item=product.item)
    if product is not None:
        costs = list(_costs(planned, work, started))
        return Outcome(
            planned,
            "skipped" if planned.state == "skipped" else "done",
            planned.reason,
            seconds={stage: cost["seconds"] for stage, cost in costs},
            peak_mib={stage: cost["peak_mib"] for stage, cost in costs},
            megabytes=product.megabytes,
            item=product.item,
        )
    if planned.state == "skipped":
        return Outcome(planned, "skipped", planned.reason)
    record = failures.load(work, planned.target)
    if record is not None and (record.batch == batch or _later(record, started)):
        return Outcome(planned, "failed", record.reason, record.stage, record.attempts)
    if planned.state == "failed":
        return Outcome(planned, "failed", planned.reason, "plan", 1)
    reason = "the run ended before it was finished" if over else "not finished yet"
    return Outcome(planned, "unfinished", reason)


def _later(record: failures.Failure, started: datetime) -> bool:
    """Another run that overlapped this one failed at it."""
    return datetime.fromisoformat(record.time) >= started


def _costs(planned: Planned, work: Path, started: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each stage took that ended after the batch began."""
    for stage, digest in planned.stages.items():
        try:
            record = json.loads(run_record(work, digest).read_text())
            if datetime.fromisoformat(record["ended"]) >= started:
                yield stage, record
        except (OSError, ValueError, KeyError):
            continue  # made elsewhere, or before such records were kept


def totals(found: list[Outcome]) -> dict[str, Any]:
    """Scenes by state, seconds and peak memory by stage, GB of what was made."""
    stages = [stage for outcome in found for stage in outcome.seconds]
    return {
        "scenes": len(found),
        **{state: sum(outcome.state == state for outcome in found) for state in STATES},
        "gigabytes": sum(o.megabytes for o in found if o.state == "done") / 1e3,
        "seconds": {
            stage: round(sum(o.seconds.get(stage, 0.0) for o in found), 3)
            for stage in dict.fromkeys(stages)
        },
        "peak_mib": {
            stage: max(o.peak_mib.get(stage, 0) for o in found) for stage in dict.fromkeys(stages)
        },
    }
