"""The mask bank's stage: sources in, one bank out, part by part, and what is found is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

from nndacss.entries import Origin, check_unchanged
from nndacss.errors import DatasetError, complain
from nndacss.identity import drafted
from nndacss.inpaint.bank import KINDS, MaskBank
from nndacss.inpaint.harvest import Found, Sizes, write_bank
from nndacss.inpaint.pairs import Match
from nndacss.mask_bank.plan import STORE
from nndacss.mask_bank.settings import MaskBankSettings
from nndacss.mask_bank.sources import build, found_in
from nndacss.parts import make_store, part_of
from nndacss.settings import restore
from nndacss.stage import Context

#: Images of a part: seconds of work where pairs are matched, and few files.
SIZE = 8


@dataclass(frozen=True)
class Job:
    """Some images or masks of a source; goes to a worker process."""

    title: str
    origin: Origin
    names: tuple[str, ...]
    sizes: Sizes
    pairs: bool
    part: Path

    @property
    def name(self) -> str:
        """Its first."""
        return self.names[0]

    @property
    def unit(self) -> str:
        """For messages."""
        return f"{self.title} {self.name}"


def make_bank(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    store = context.folder / STORE

    def empty(count: int) -> str:
        found = f"no mask in {count} parts of the sources"
        remedy = "check [[mask_bank.sources]], `covered` and the sizes"
        return complain("mask bank", found, "masks of clouds or snow", remedy)

    def join(jobs: Sequence[Job]) -> int:
        found = (one for job in jobs for one in read_part(job.part))
        names = ", ".join(dict.fromkeys(job.title for job in jobs))
        return sum(write_bank(store, found, jobs[0].sizes, names).values())

    make_store(context, store, partial(plan_jobs, context), harvest_part, join, "matched", empty)
    return summary(MaskBank(store))


def plan_jobs(context: Context) -> list[Job]:
    """Jobs of `SIZE` images, in the order of settings and names.

    DatasetError where a source is not the one that the recipe was made from.
    """
    recipe = context.order.recipe
    settings = cast(MaskBankSettings, restore(recipe.settings, "mask_bank"))
    sizes = Sizes(settings.covered, settings.smallest, settings.largest)
    jobs = []
    for entry in settings.sources:
        origin = build(entry, context.order.location)
        check_unchanged(entry.title, origin, recipe.inputs[entry.title])
        names = tuple(origin.names())
        for first in range(0, len(names), SIZE):
            some = names[first : first + SIZE]
            part = part_of(context, entry.title, some[0])
            jobs.append(Job(entry.title, origin, some, sizes, settings.pairs, part))
    return jobs


def harvest_part(job: Job) -> None:
    """The masks of some images to their part, whole or not at all; there may be none."""
    found = (
        one for name in job.names for one in found_in(job.origin, name, job.sizes, pairs=job.pairs)
    )
    with drafted(job.part) as draft, h5py.File(draft, "w", locking=False) as file:
        for number, one in enumerate(found):
            group = file.create_group(f"{number:06d}")
            group.attrs.update({"kind": one.kind, "name": one.name, "metres": one.metres})
            _add(group, "mask", one.mask)
            if one.match is not None:
                group.attrs.update({"step": one.match.step, "share": one.match.share})
                _add(group, "shadow", one.match.shadow)


def _add(group: h5py.Group, name: str, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    group.create_dataset(name, data=mask, compression="gzip", compression_opts=1, fletcher32=True)


def read_part(path: Path) -> Iterator[Found]:
    """What `harvest_part` wrote, in order; DatasetError where the file is damaged."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            for group in (file[name] for name in sorted(file)):
                mask, match = group["mask"][()], None
                if "shadow" in group:
                    down, right = (int(part) for part in group.attrs["step"])
                    share = float(group.attrs["share"])
                    match = Match(mask, group["shadow"][()], (down, right), share)
                about = group.attrs
                yield Found(about["kind"], about["name"], float(about["metres"]), mask, match)
    except (OSError, KeyError, RuntimeError) as error:
        found, remedy = f"what HDF5 cannot read ({error})", "remove it and run MaskBank again"
        raise DatasetError(complain(path, found, "a whole part", remedy)) from error


def summary(bank: MaskBank) -> dict[str, Any]:
    """How many masks of each kind, and pairs; smallest and largest area."""
    counts = {kind: sum(record.kind == kind for record in bank.records) for kind in KINDS}
    areas = [
        record.covered * record.rows * record.columns * record.metres**2 / 1e6
        for record in bank.records
    ]
    return {
        **counts,
        "pairs": len(bank.pairs),
        "square_kilometres": [round(min(areas), 3), round(max(areas), 1)],
    }
