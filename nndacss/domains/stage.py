"""The domains stage: sources in, one file of patches out, unit by unit; what is made is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from nndacss.domains.plan import STORE, build
from nndacss.domains.settings import DomainsSettings
from nndacss.domains.source import Source
from nndacss.domains.store import DomainStore, Header, join_stores, write_store
from nndacss.entries import check_unchanged
from nndacss.errors import complain
from nndacss.parts import make_store, part_of
from nndacss.settings import restore
from nndacss.stage import Context


@dataclass(frozen=True)
class Job:
    """One unit of work; goes to a worker process."""

    title: str
    source: Source
    name: str
    settings: DomainsSettings
    header: Header
    part: Path

    @property
    def unit(self) -> str:
        """For messages."""
        return f"{self.title} {self.name}"


def make_domains(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE

    def empty(count: int) -> str:
        found, remedy = f"no patch in {count} units", "check [[domains.sources]]"
        return complain("domains", found, "complete patches", remedy)

    def join(jobs: Sequence[Job]) -> int:
        return join_stores(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context)
    make_store(context, store, jobs, make_part, join, "made patches", empty)
    with DomainStore(store) as opened:
        records = opened.records
    patches = Counter(record.dataset for record in records)
    scenes = {title: {r.scene for r in records if r.dataset == title} for title in patches}
    sources = {
        title: {"patches": number, "scenes": len(scenes[title])}
        for title, number in patches.items()
    }
    return {"patches": len(records), "sources": sources}


def plan_jobs(context: Context) -> list[Job]:
    """One job a unit of work, in the order of settings and names.

    DatasetError where a source is not the one that the recipe was made from.
    """
    recipe = context.order.recipe
    settings = cast(DomainsSettings, restore(recipe.settings, "domains"))
    header = Header(settings.side, {"digest": recipe.digest, **asdict(recipe)})
    jobs = []
    for entry in settings.sources:
        source = build(entry, context.order.location)
        check_unchanged(entry.title, source, recipe.inputs[entry.title])
        for name in source.names():
            part = part_of(context, entry.title, name)
            jobs.append(Job(entry.title, source, name, settings, header, part))
    return jobs


def make_part(job: Job) -> None:
    """One unit to its part, whole or not at all; a part may hold no patch."""
    patches = job.source.patches(job.title, job.name, job.settings)
    write_store(job.part, job.header, patches)
