"""A store made part by part: what the stages that make one share.

What is made is kept: a stage that was killed makes the parts that are missing, then joins them all.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from nndacss.errors import DatasetError
from nndacss.identity import digest
from nndacss.process import finished
from nndacss.stage import Context

#: Folder of the parts in the stage's; gone when the store is whole.
_FOLDER = "parts"


class Job(Protocol):
    """One part to make; goes to a worker process."""

    @property
    def part(self) -> Path:
        """The part's file."""

    @property
    def unit(self) -> str:
        """What it is made of, for messages."""


J = TypeVar("J", bound=Job)


def part_of(context: Context, title: str, name: str) -> Path:
    """The file of one unit of a source; names may hold any character, a digest is a file name."""
    return part_named(context, digest([title, name])[:16])


def part_named(context: Context, name: str) -> Path:
    """The file of a part of that name."""
    return context.folder / _FOLDER / f"{name}.h5"


def make_store(
    context: Context,
    store: Path,
    plan: Callable[[], Sequence[J]],
    make: Callable[[J], None],
    join: Callable[[Sequence[J]], int],
    did: str,
    empty: Callable[[int], str],
) -> None:
    """Make `store` in the stage's folder, unless it is there.

    `plan` lists all parts; `make` writes one, whole or not at all; `join` makes the store of them
    and returns how many elements it has. `did` says what a process was at where one is killed
    ("cut samples"). DatasetError with what `empty` says of so many parts, where nothing is in them.

    In as many processes as the machine has threads, since twin and readers hold Python's lock for
    much of their time.
    """
    if not store.exists():
        jobs = plan()
        todo = [job for job in jobs if not job.part.exists()]
        done = len(jobs) - len(todo)
        for job in finished(make, todo, context.threads, did):
            done += 1
            context.progress(done / (len(jobs) + 1), f"{job.unit}, {done} of {len(jobs)}")
        if not join(jobs):
            store.unlink()
            raise DatasetError(empty(len(jobs)))
    shutil.rmtree(context.folder / _FOLDER, ignore_errors=True)
