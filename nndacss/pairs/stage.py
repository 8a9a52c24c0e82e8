"""The pairs stage: sources in, one store out, unit by unit, and what is made is kept."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from nndacss.entries import check_unchanged
from nndacss.errors import complain
from nndacss.pairs.layout import Header
from nndacss.pairs.plan import STORE, build
from nndacss.pairs.settings import PairsSettings
from nndacss.pairs.source import PairRecord, Source
from nndacss.pairs.store import PairStore
from nndacss.pairs.write import join_stores, write_store
from nndacss.parts import make_store, part_of
from nndacss.settings import restore
from nndacss.stage import Context


@dataclass(frozen=True)
class Job:
    """One unit of work; goes to a worker process."""

    title: str
    source: Source
    name: str
    header: Header
    part: Path

    @property
    def unit(self) -> str:
        """For messages."""
        return f"{self.title} {self.name}"


def make_pairs(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE

    def empty(count: int) -> str:
        found, remedy = f"no pair in {count} units", "check [[pairs.sources]]"
        return complain("pairs", found, "pairs that pass their filter", remedy)

    def join(jobs: Sequence[Job]) -> int:
        return join_stores(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context)
    make_store(context, store, jobs, make_part, join, "made pairs", empty)
    with PairStore(store) as opened:
        return summary(opened)


def plan_jobs(context: Context) -> list[Job]:
    """One job a unit of work, in the order of settings and names.

    DatasetError where a source is not the one that the recipe was made from.
    """
    recipe = context.order.recipe
    settings = cast(PairsSettings, restore(recipe.settings, "pairs"))
    header = Header(settings.side, {"digest": recipe.digest, **asdict(recipe)})
    jobs = []
    for entry in settings.sources:
        source = build(entry, context.order.location)
        check_unchanged(entry.title, source, recipe.inputs[entry.title])
        for name in source.names():
            part = part_of(context, entry.title, name)
            jobs.append(Job(entry.title, source, name, header, part))
    return jobs


def make_part(job: Job) -> None:
    """One unit to its part, whole or not at all; a part may hold no pair."""
    write_store(job.part, job.header, job.source.pairs(job.title, job.name, job.header.side))


def summary(store: PairStore) -> dict[str, Any]:
    """How many pairs and scenes, per source, and what was estimated of shifts (metres)."""
    result: dict[str, Any] = {"pairs": len(store), "sources": {}}
    for title in dict.fromkeys(record.dataset for record in store.records):
        records = [record for record in store.records if record.dataset == title]
        result["sources"][title] = {
            "kind": records[0].kind,
            "pairs": len(records),
            "scenes": len({record.scene for record in records}),
            "shift": _shift(records),
        }
    return result


def _shift(records: list[PairRecord]) -> dict[str, list[float]]:
    """Median, and largest distance from it, east and south; nothing where no pair tells."""
    known = [record.shift for record in records if not math.isnan(record.shift[0])]
    if not known:
        return {}
    axes = list(zip(*known, strict=True))
    medians = [statistics.median(axis) for axis in axes]
    far = [max(abs(x - at) for x in axis) for axis, at in zip(axes, medians, strict=True)]
    return {"median": [round(x, 3) for x in medians], "spread": [round(x, 3) for x in far]}
