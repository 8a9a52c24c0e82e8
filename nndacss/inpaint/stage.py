"""The inpaint stage: a sample store and a mask bank in, a store with painted samples out.

Part by part, and what is made is kept. What a sample's draws are depends on the sample and the
settings alone, not on the order or number of workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.random import Generator

from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.identity import load_order, recipe_path
from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.cast import turned_azimuth
from nndacss.inpaint.networks import open_networks
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.painter import Painted, Painter, Patch
from nndacss.inpaint.plan import BANK, STORE, checked_sum, located
from nndacss.inpaint.settings import InpaintSettings
from nndacss.inpaint.store import Noted, PaintedStore, join_painted, write_painted
from nndacss.mask_bank.plan import STORE as BANK_STORE
from nndacss.models.device import Choice
from nndacss.parts import make_store, part_named
from nndacss.samples.layout import Header, Record
from nndacss.samples.plan import STORE as SAMPLES
from nndacss.samples.stage import summary
from nndacss.samples.store import SampleStore
from nndacss.samples.write import count_classes
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.train.augment import turn
from nndacss.train.draws import seeded

#: Samples of a part: seconds of work, few files, and one batch for a network.
SIZE = 8


@dataclass(frozen=True)
class Job:
    """Some samples; goes to a worker process."""

    store: SampleStore
    indices: Sequence[int]
    settings: InpaintSettings
    device: Choice
    header: Header
    part: Path

    @property
    def name(self) -> str:
        """The part's."""
        return self.part.stem

    @property
    def unit(self) -> str:
        """For messages."""
        return f"samples from {self.indices[0]} on"


def inpaint_samples(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`, with what was not painted and why.

    DatasetError where nothing could be painted at all.
    """
    store = context.folder / STORE

    def empty(count: int) -> str:
        return complain("inpaint", f"no sample in {count} parts", "samples", "make samples first")

    def join(jobs: Sequence[Job]) -> int:
        return join_painted(store, jobs[0].header, [job.part for job in jobs])

    jobs = partial(plan_jobs, context)
    make_store(context, store, jobs, make_part, join, "painted samples", empty)
    with PaintedStore(store) as opened:
        told = {**summary(opened), **counted(opened)}
    if not told["painted"]:
        found = f"nothing painted into {sum(told['skipped'].values())} samples"
        expected, remedy = "samples that a mode suits", "add modes or other samples"
        reasons = "; ".join(told["skipped"])
        store.unlink()
        raise DatasetError(complain("inpaint", f"{found} ({reasons})", expected, remedy))
    return told


def counted(store: PaintedStore) -> dict[str, Any]:
    """How many samples each mode has painted, and how many none has, by the reason."""
    notes = [store.origin(index) for index in range(len(store))]
    drawn = [note for note in notes if note["draw"]]
    return {
        "painted": dict(Counter(note["mode"] for note in drawn if note["mode"])),
        "skipped": dict(Counter(note["skipped"] for note in drawn if not note["mode"])),
        "sun_from": dict(Counter(note["sun_from"] for note in drawn if note["mode"])),
    }


def plan_jobs(context: Context) -> list[Job]:
    """Jobs of `SIZE` samples, in the order of the store.

    DatasetError or WeightsError where samples, bank or weights cannot be used.
    """
    order = context.order
    own = cast(InpaintSettings, restore(order.recipe.settings, "inpaint"))
    paint = located(own.paint, order.location)
    if "mask_bank" in order.recipe.inputs:
        bank = context.input("mask_bank")[0] / BANK_STORE
        paint = paint.model_copy(update={"bank": str(bank)})
    else:
        checked_sum(Path(order.location[BANK]), paint.bank_sha256)
    settings = own.model_copy(update={"paint": paint})
    store = SampleStore(context.input("samples")[0] / SAMPLES)
    if store.scheme != "climate":
        found = f"samples with labels of scheme {store.scheme}"
        raise SettingsError(complain("inpaint", found, "climate", "give samples with clouds"))
    MaskBank(paint.bank).check(paint.structures, paint.pair_chance > 0)
    device: Any = order.location.get("device", "auto")
    open_networks(paint, store.roles)
    samples = load_order(recipe_path(context.work, order.recipe.inputs["samples"])).recipe
    stated = {"digest": order.recipe.digest, **asdict(order.recipe)}
    # with the settings of the samples, so that the store says where its images come from
    stated["settings"] = {**samples.settings, **order.recipe.settings}
    header = replace(store.header, recipe=stated, weighted=False)
    return [
        Job(
            store,
            range(first, min(first + SIZE, len(store))),
            settings,
            device,
            header,
            part_named(context, f"{first:06d}"),
        )
        for first in range(0, len(store), SIZE)
    ]


def make_part(job: Job) -> None:
    """Some samples, painted, to their part, whole or not at all."""
    write_painted(job.part, job.header, items(job))


def items(job: Job) -> Iterator[Noted]:
    """Each sample, if wanted, and all its draws; one draw of all samples is painted together."""
    painter = opened(job)
    records = [job.store.records[index] for index in job.indices]
    images = [job.store.read(index) for index in job.indices]
    source = str(job.store.header.recipe.get("digest", ""))[:16]
    draws = []
    for draw in range(1, job.settings.draws + 1):
        rngs = [chance(job.settings.seed, record, draw) for record in records]
        turns = [int(rng.integers(8)) if job.settings.turn else 0 for rng in rngs]
        patches = [
            Patch(
                np.ascontiguousarray(turn(pixels, which)),
                np.ascontiguousarray(turn(sets, which)),
                job.store.roles,
                record.metres,
                turned_sun(record.sun, which),
                record.level,
            )
            for (pixels, sets), record, which in zip(images, records, turns, strict=True)
        ]
        draws.append(list(zip(turns, painter.paint_batch(patches, rngs), strict=True)))
    for place, (index, record) in enumerate(zip(job.indices, records, strict=True)):
        note = {"source": [source, index], "seed": job.settings.seed}
        if job.settings.originals:
            untouched = {**note, "draw": 0, "mode": "", "skipped": "", "turn": 0}
            yield (*images[place], record), untouched
        for number, some in enumerate(draws, 1):
            which, painted = some[place]
            about = {**note, **told(painted), "draw": number, "turn": which}
            yield (painted.pixels, painted.sets, renewed(record, painted, number, which)), about


def chance(seed: int, record: Record, draw: int) -> Generator:
    """The generator of one draw of one sample, whichever store it lies in and where."""
    return seeded("inpaint", seed, record.dataset, record.name, record.row, record.column, draw)


def opened(job: Job) -> Painter:
    """The painter of a job, opened once a process."""
    paint = job.settings.paint
    places = tuple(sorted(paint.weights.items()))
    return _opened(paint.model_dump_json(), paint.bank, places, job.store.roles, job.device)


@cache
def _opened(
    options: str,
    bank: str,
    weights: tuple[tuple[str, str], ...],
    roles: tuple[str, ...],
    device: Choice,
) -> Painter:
    # settings as JSON, since those with tables in them cannot be keys
    paint = PaintOptions.model_validate_json(options)
    paint = paint.model_copy(update={"bank": bank, "weights": dict(weights)})
    # a worker a core: one thread each
    return Painter(MaskBank(bank), paint, open_networks(paint, roles, device, threads=1))


def turned_sun(sun: tuple[float, float] | None, which: int) -> tuple[float, float] | None:
    """Elevation and azimuth as they are in the image turned by `which`."""
    return None if sun is None else (sun[0], turned_azimuth(sun[1], which))


def renewed(record: Record, painted: Painted, draw: int, which: int) -> Record:
    """The record of a draw: another image of the same scene."""
    return replace(
        record,
        name=f"{record.name}, draw {draw}",
        sun=turned_sun(record.sun, which),
        labelled=int((painted.sets != 0).sum()),
        class_counts=count_classes(painted.sets, len(record.class_counts)),
    )


def told(painted: Painted) -> dict[str, Any]:
    """What a note says of how a sample was painted."""
    geometry = painted.geometry
    sun = geometry and [round(geometry.sun_elevation, 2), round(geometry.sun_azimuth, 2)]
    return {
        "mode": painted.mode,
        "skipped": painted.skipped,
        "sun": sun,
        "sun_from": painted.sun_from,
        "painted": painted.story,
    }
