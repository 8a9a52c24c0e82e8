"""The samples stage: archives in, one store out, image by image, and what is cut is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from nndacss.datasets import Dataset
from nndacss.entries import check_unchanged
from nndacss.errors import DatasetError, complain
from nndacss.identity import digest
from nndacss.plugins import load
from nndacss.process import finished
from nndacss.samples.cut import arranged, pieces, reduced
from nndacss.samples.layout import Header, Record
from nndacss.samples.plan import STORE, build
from nndacss.samples.settings import SamplesSettings
from nndacss.samples.store import SampleStore
from nndacss.samples.write import Item, count_classes, join_stores, write_store
from nndacss.settings import restore
from nndacss.stage import Context

#: Folder of the parts, one a source image; gone when the store is whole.
PARTS = "parts"


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


def make_samples(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE
    if not store.exists():
        jobs = plan_jobs(context)
        todo = [job for job in jobs if not job.part.exists()]
        run_jobs(todo, len(jobs), context)
        count = join_stores(store, jobs[0].header, [job.part for job in jobs])
        if not count:
            store.unlink()
            found = f"no labelled pixel in {len(jobs)} images"
            raise DatasetError(complain("samples", found, "labels", "check [[samples.datasets]]"))
    shutil.rmtree(context.folder / PARTS, ignore_errors=True)
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
        header = Header(roles, scheme.name, scheme.classes, settings.side, stated)
        for name in dataset.names():
            # names may hold any character; a digest is a file name everywhere
            part = context.folder / PARTS / f"{digest([entry.title, name])[:16]}.h5"
            alias = entry.nir_as_nir08
            jobs.append(Job(entry.title, dataset, name, alias, settings, header, part))
    return jobs


def run_jobs(jobs: list[Job], total: int, context: Context) -> None:
    """Cut all parts that are missing, in as many processes as the machine has threads.

    Processes, since the twin and the readers hold Python's lock for much of their time.
    """
    done = total - len(jobs)
    for job in finished(cut_part, jobs, context.threads, "cut samples"):
        done += 1
        context.progress(done / (total + 1), f"{job.title} {job.name}, image {done} of {total}")


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
        yield piece.pixels, piece.sets, record


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
