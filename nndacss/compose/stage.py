"""The compose stage: views in, one sample store out, part by part, and what is made is kept.

The store is that of `nndacss.samples`: networks are trained on it as on any other. What a view's
draws are depends on the view and on the settings alone, not on the order or number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.random import Generator

from nndacss.compose.masks import Labels, dilated, from_sets
from nndacss.compose.plan import METRES, STORE, factor
from nndacss.compose.settings import ComposeSettings
from nndacss.compose.views import Views
from nndacss.datasets import Sample
from nndacss.errors import DatasetError, complain
from nndacss.identity import load_order, recipe_path
from nndacss.parts import make_store, part_named
from nndacss.plugins import load
from nndacss.samples.cut import reduced
from nndacss.samples.layout import Header, Record
from nndacss.samples.stage import summary
from nndacss.samples.store import SampleStore
from nndacss.samples.write import Item, count_classes, join_stores, write_store
from nndacss.sensors import REFLECTIVE
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.draws import seeded
from nndacss.views import layout
from nndacss.views.plan import STORE as VIEWS
from nndacss.views.store import ViewStore

#: Views of a part: seconds of work, and few files.
SIZE = 16


@dataclass(frozen=True)
class Job:
    """Some views; goes to a worker process."""

    store: ViewStore
    indices: Sequence[int]
    settings: ComposeSettings
    header: Header
    part: Path

    @property
    def name(self) -> str:
        """The part's."""
        return self.part.stem

    @property
    def unit(self) -> str:
        """For messages."""
        return f"views from {self.indices[0]} on"


def compose_samples(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE

    def empty(count: int) -> str:
        found, remedy = f"no label in {count} parts of views", "lower compose.side"
        return complain("compose", found, "labelled samples", remedy)

    def join(jobs: Sequence[Job]) -> int:
        return join_stores(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context)
    make_store(context, store, jobs, make_part, join, "composed samples", empty)
    with SampleStore(store) as opened:
        return summary(opened)


def plan_jobs(context: Context) -> list[Job]:
    """Jobs of `SIZE` views, in the order of the store."""
    recipe = context.order.recipe
    settings = cast(ComposeSettings, restore(recipe.settings, "compose"))
    views = load_order(recipe_path(context.work, recipe.inputs["views"])).recipe
    store = ViewStore(context.input("views")[0] / VIEWS)
    if settings.mask == "other" and len({record.scene for record in store.records}) < 2:
        found, expected = "views of one scene", "two scenes for compose.mask = 'other'"
        raise DatasetError(complain(store.path, found, expected, "add to [[views.sources]]"))
    stated = {"digest": recipe.digest, **asdict(recipe)}
    # with the settings of the views, so that the store says where its images come from
    stated["settings"] = {**views.settings, **recipe.settings}
    header = Header(REFLECTIVE, store.header.scheme, store.header.classes, settings.side, stated)
    parts = range(0, len(store), SIZE)
    return [
        Job(
            store,
            range(first, min(first + SIZE, len(store))),
            settings,
            header,
            part_named(context, f"{first:06d}"),
        )
        for first in parts
    ]


def make_part(job: Job) -> None:
    """Some views to their part, whole or not at all."""
    write_store(job.part, job.header, items(job))


def items(job: Job) -> Iterator[Item]:
    """The samples of some views: all draws of a view one after the other."""
    for index in job.indices:
        for draw in range(job.settings.draws):
            yield from samples(composed(job, index, draw), job, index)


def composed(job: Job, index: int, draw: int) -> Sample:
    """One composition of a view, with its true labels, on the samples' pixels."""
    settings, record = job.settings, job.store.records[index]
    landsat, harmonized, sets = job.store.read(index)
    which = settings.seed, record.dataset, record.name, record.row, record.column, draw
    # of its own, so that a wrong mask leaves the method's draws as they are
    wrong = seeded("mask", *which)
    views = Views(
        landsat=landsat,
        harmonized=harmonized,
        labels=mask(job, index, from_sets(sets), wrong),
        metres=METRES,
        at=(record.row, record.column),
        target=job.store.header.target,
    )
    pixels = load("compose", settings.method)(views, settings, seeded("compose", *which)).pixels
    one = settings.draws == 1
    sample = Sample(
        name=record.name if one else f"{record.name}, draw {draw}",
        scene=record.scene,
        pixels=pixels,
        roles=REFLECTIVE,
        sets=np.where(views.valid, sets, np.uint16(0)),
        sensor=_sensor(record, settings),
        level=record.level,
        metres=METRES,
        sun=record.sun,
    )
    return reduced(sample, settings.finest)


def mask(job: Job, index: int, labels: Labels, rng: Generator) -> Labels:
    """(side, side) the labels to compose a view with, by `compose.mask`."""
    settings = job.settings
    if settings.mask == "dilated":
        return dilated(labels, settings.dilate / METRES, rng)
    if settings.mask == "other":
        return from_sets(job.store.sets(other(job.store.records, index, rng)))
    return labels


def other(records: Sequence[layout.Record], index: int, rng: Generator) -> int:
    """A view of another scene, any as likely."""
    scene = records[index].scene
    return int(rng.choice([n for n, record in enumerate(records) if record.scene != scene]))


def samples(sample: Sample, job: Job, index: int) -> Iterator[Item]:
    """Whole samples of one composed view that hold a label."""
    side, record = job.header.side, job.store.records[index]
    step = factor(job.settings)
    for row in range(0, sample.sets.shape[0] - side + 1, side):
        for column in range(0, sample.sets.shape[1] - side + 1, side):
            place = np.s_[row : row + side, column : column + side]
            sets = sample.sets[place]
            if sets.any():
                yield (
                    sample.pixels[:, *place],
                    sets,
                    Record(
                        dataset=record.dataset,
                        name=sample.name,
                        scene=sample.scene,
                        row=record.row // step + row,
                        column=record.column // step + column,
                        metres=sample.metres,
                        level=sample.level,
                        sensor=sample.sensor,
                        sun=sample.sun,
                        labelled=int((sets != 0).sum()),
                        class_counts=count_classes(sets, len(job.header.classes)),
                    ),
                )


def _sensor(record: layout.Record, settings: ComposeSettings) -> str:
    """What a sample says of its sensor."""
    return record.sensor if settings.method == "bicubic" else f"{record.sensor} as sentinel2_msi"
