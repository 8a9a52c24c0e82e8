"""The samples stage: archives in, one store out, image by image, and what is cut is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from nndacss.datasets import Dataset
from nndacss.entries import check_unchanged
from nndacss.errors import complain
from nndacss.parts import make_store, part_of
from nndacss.plugins import load
from nndacss.samples.cut import arranged, pieces, reduced
from nndacss.samples.layout import Header, Record
from nndacss.samples.plan import STORE, build
from nndacss.samples.settings import SamplesSettings
from nndacss.samples.store import SampleStore
from nndacss.samples.write import Item, count_classes, join_stores, write_store
from nndacss.settings import restore
from nndacss.stage import Context


@dataclass(frozen=True)
class Job:
    """One source image to cut; goes to a worker process."""

    title: str
    dataset: Dataset
    name: str
    nir_as_nir08: bool
    settings: SamplesSettings
    header: Header
    part: Path

    @property
    def unit(self) -> str:
        """For messages."""
        return f"{self.title} {self.name}"


def make_samples(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE

    def empty(count: int) -> str:
        found = f"no labelled pixel in {count} images"
        return complain("samples", found, "labels", "check [[samples.datasets]]")

    def join(jobs: Sequence[Job]) -> int:
        return join_stores(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context)
    make_store(context, store, jobs, cut_part, join, "cut samples", empty)
    with SampleStore(store) as opened:
        return summary(opened)


def plan_jobs(context: Context) -> list[Job]:
    """One job a source image, in the order of settings and names.

    DatasetError where an archive is not the one that the recipe was made from.
    """
    recipe = context.order.recipe
    settings = cast(SamplesSettings, restore(recipe.settings, "samples"))
    jobs = []
    for entry in settings.datasets:
        dataset = build(entry, context.order.location)
        check_unchanged(entry.title, dataset, recipe.inputs[entry.title])
        scheme = load("labels", dataset.scheme)
        roles = tuple(settings.roles)
        stated = {"digest": recipe.digest, **asdict(recipe)}
        weighted = bool(settings.weights)
        header = Header(roles, scheme.name, scheme.classes, settings.side, stated, weighted)
        for name in dataset.names():
            part = part_of(context, entry.title, name)
            alias = entry.nir_as_nir08
            jobs.append(Job(entry.title, dataset, name, alias, settings, header, part))
    return jobs


def cut_part(job: Job) -> None:
    """One source image to its part, whole or not at all; a part may hold no sample."""
    write_store(job.part, job.header, items(job))


def items(job: Job) -> Iterator[Item]:
    """The samples of one source image."""
    loaded = job.dataset.load(job.name)
    sample = reduced(arranged(loaded, job.header.roles, job.nir_as_nir08), job.settings.finest)
    for piece in pieces(sample, job.settings.side, job.settings.stride):
        record = Record(
            dataset=job.title,
            name=job.name,
            scene=sample.scene,
            row=piece.row,
            column=piece.column,
            metres=float(sample.metres),
            level=sample.level,
            sensor=sample.sensor,
            sun=sample.sun,
            labelled=int((piece.sets != 0).sum()),
            class_counts=count_classes(piece.sets, len(job.header.classes)),
        )
        yield piece.pixels, piece.sets, record, piece.weight


def summary(store: SampleStore) -> dict[str, Any]:
    """How many samples, scenes and pixels of each class, per dataset."""
    result: dict[str, Any] = {"samples": len(store), "datasets": {}}
    for title in dict.fromkeys(record.dataset for record in store.records):
        records = [record for record in store.records if record.dataset == title]
        counts = zip(*(record.class_counts for record in records), strict=True)
        result["datasets"][title] = {
            "samples": len(records),
            "images": len({record.name for record in records}),
            "scenes": len({record.scene for record in records}),
            "labelled": sum(record.labelled for record in records),
            "pixels": dict(zip(store.header.classes, map(sum, counts), strict=True)),
        }
    return result
