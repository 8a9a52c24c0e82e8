"""The views stage: labelled images in, one store out, image by image, and what is made is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from nndacss.datasets import Dataset
from nndacss.entries import check_unchanged
from nndacss.errors import WeightsError, complain
from nndacss.harmonize.weights import Choice
from nndacss.models.device import Choice as Device
from nndacss.models.device import claim
from nndacss.models.harmonizer_card import Precision
from nndacss.parts import make_store, part_of
from nndacss.plugins import load
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.views import archive, twin
from nndacss.views.harmonized import harmonized, network
from nndacss.views.image import Image, Window, windows
from nndacss.views.kinds import Source, scheme_of, source
from nndacss.views.layout import Header, Record
from nndacss.views.plan import STORE, chosen
from nndacss.views.settings import ViewsSettings
from nndacss.views.store import ViewStore, join_stores, write_store

log = logging.getLogger("nndacss")


@dataclass(frozen=True)
class Networks:
    """What harmonizes, as a worker process must know it."""

    weights: tuple[str, ...]
    sha256: str
    precision: Precision
    device: Device


@dataclass(frozen=True)
class Job:
    """One source image; goes to a worker process."""

    title: str
    source: Source
    name: str
    header: Header
    networks: Networks
    part: Path

    @property
    def unit(self) -> str:
        """For messages."""
        return f"{self.title} {self.name}"


def make_views(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE
    choice = _choice(context)

    def empty(count: int) -> str:
        found = f"no labelled pixel in {count} images"
        return complain("views", found, "labels", "check [[views.sources]]")

    def join(jobs: Sequence[Job]) -> int:
        return join_stores(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context, choice)
    make_store(context, store, jobs, make_part, join, "made views", empty)
    with ViewStore(store) as opened:
        return summary(opened, choice)


def plan_jobs(context: Context, choice: Choice) -> list[Job]:
    """One job a source image, in the order of settings and names.

    DatasetError where an archive is not the one that the recipe was made from.
    """
    order, recipe = context.order, context.order.recipe
    settings = cast(ViewsSettings, restore(recipe.settings, "views"))
    networks = Networks(
        weights=choice.weights,
        sha256=str(recipe.weights),
        precision=cast(Precision, recipe.precision),
        device=cast(Device, order.location.get("device", "auto")),
    )
    stated = {"digest": recipe.digest, **asdict(recipe)}
    jobs = []
    for entry in settings.sources:
        found = source(entry, order.location)
        check_unchanged(entry.title, found, recipe.inputs[entry.title])
        scheme = load("labels", scheme_of(found))
        target = choice.cards[0].target
        header = Header(scheme.name, scheme.classes, settings.side, target, stated)
        for name in found.names():
            part = part_of(context, entry.title, name)
            jobs.append(Job(entry.title, found, name, header, networks, part))
    _check_archives([job for job in jobs if not job.part.exists()])
    return jobs


def make_part(job: Job) -> None:
    """One source image to its part, whole or not at all; a part may hold no view."""
    write_store(job.part, job.header, views(job))


def views(job: Job) -> Iterator[tuple[Window, Record]]:
    """The views of one source image."""
    image = image_of(job.source, job.name, job.header.side)
    own = job.networks
    with claim(own.device) as device:
        run = network(own.weights, own.sha256, device, own.precision)
        after = harmonized(run, image)
    pan = not np.isnan(image.inputs[-1]).all()
    for window in windows(image, after, job.header.side):
        yield (
            window,
            Record(
                dataset=job.title,
                name=job.name,
                scene=image.scene,
                row=window.row,
                column=window.column,
                level=image.level,
                sensor=image.sensor,
                pan=bool(pan),
                sun=image.sun,
            ),
        )


def image_of(found: Source, name: str, side: int) -> Image:
    """One image of a source; DatasetError where it is none for us."""
    if isinstance(found, Dataset):
        return archive.image(found, name)
    return twin.image(found, name, side)


def summary(store: ViewStore, choice: Choice) -> dict[str, Any]:
    """How many views and scenes there are, per source, and what harmonized them."""
    members = [{"name": card.name, "sha256": card.sha256} for card in choice.cards]
    known = set.intersection(*(set(card.levels) for card in choice.cards))
    result: dict[str, Any] = {"views": len(store), "weights": members, "sources": {}}
    for title in dict.fromkeys(record.dataset for record in store.records):
        records = [record for record in store.records if record.dataset == title]
        levels = sorted({record.level for record in records})
        result["sources"][title] = {
            "views": len(records),
            "images": len({record.name for record in records}),
            "scenes": len({record.scene for record in records}),
            "levels": levels,
            "pan": sum(record.pan for record in records),
        }
        if unknown := sorted(set(levels) - known):
            words = f"{', '.join(unknown)} reflectance, on which its networks were not trained"
            log.warning("%s is %s", title, words)
    return result


def _choice(context: Context) -> Choice:
    """The networks; WeightsError where the weights here are not those of the recipe."""
    weights = tuple(context.order.location.get("weights", "").splitlines())
    choice = chosen(ViewsSettings(weights=weights))
    planned = context.order.recipe.weights
    if choice.sha256 != planned:
        found = f"sha256 {str(choice.sha256)[:12]}..."
        expected = f"{str(planned)[:12]}..., as when the task was planned"
        remedy = "run the command again, with the same weights on all machines"
        raise WeightsError(complain(", ".join(weights), found, expected, remedy))
    return choice


def _check_archives(jobs: list[Job]) -> None:
    """The first image of every archive, so that one of a wrong kind is told at once."""
    first = {job.title: job for job in reversed(jobs)}
    for job in first.values():
        if isinstance(job.source, Dataset):
            archive.check(job.source.load(job.name))
