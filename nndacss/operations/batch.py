"""The record of one run over a list of scenes: `<work>/batches/<id>/`.

    begun.json    when, where, by which settings; written first
    scenes.json   the list
    plan.json     each scene as planned
    chunk-*.json  what was given to the scheduler at once
    luigi.log     what the scheduler and the stages said
    ended.json    written last; a batch without it was cut off, or still runs
    lock          held while it runs

The id begins with the time (UTC), so that names sort by it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nndacss.errors import InputError, complain
from nndacss.identity import drafted
from nndacss.operations.plans import Planned


def new_id() -> str:
    """A name for a run of this process, e.g. `20261121T101500Z-host-4711`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{socket.gethostname()}-{os.getpid()}"


def batches(work: Path) -> list[Batch]:
    """All batches of a work root, the oldest first."""
    folder = work / "batches"
    if not folder.is_dir():
        return []
    found = sorted(entry for entry in folder.iterdir() if (entry / "begun.json").is_file())
    return [Batch(entry) for entry in found]


def find_batch(work: Path, name: str = "") -> Batch:
    """The batch of that name, or the latest; InputError where there is none."""
    found = batches(work)
    chosen = [batch for batch in found if name in ("", batch.id)]
    if not chosen:
        known = ", ".join(batch.id for batch in found[-3:]) or "none"
        expected = f"the name of a batch (the latest: {known})" if name else "a batch"
        remedy = "run ReprocessScenes with this work root first"
        what = f"no batch {name}" if name else "none"
        raise InputError(complain(work / "batches", what, expected, remedy))
    return chosen[-1]


@dataclass(frozen=True)
class Batch:
    """One run, by its folder."""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the run."""
        return self.folder.name

    @property
    def ended(self) -> Path:
        """What is written last."""
        return self.folder / "ended.json"

    def write(self, name: str, value: Any) -> Path:
        """A file of the record, whole or not at all."""
        path = self.folder / name
        with drafted(path) as draft:
            draft.write_text(json.dumps(value, indent=1, sort_keys=True))
        return path

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Begin the record, with what is known of the run."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        where = {"host": socket.gethostname(), "pid": os.getpid()}
        self.write("begun.json", {"started": started, **where, **facts})

    def read(self, name: str) -> Any:
        """A file of the record; None where it was not written."""
        path = self.folder / name
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            remedy = "remove the folder of this batch, or give another one as --batch"
            found = f"{type(error).__name__}: {error}"
            raise InputError(complain(path, found, "a batch's record", remedy)) from error

    def save_plan(self, scenes: Sequence[Planned]) -> None:
        """Write how each scene was planned."""
        self.write("plan.json", [scene.as_json() for scene in scenes])

    def plan(self) -> list[Planned]:
        """Each scene as planned; empty where the run did not come so far."""
        return [Planned(**scene) for scene in self.read("plan.json") or ()]

    def end(self, facts: Mapping[str, Any]) -> None:
        """Write that the run is over."""
        self.write(
            "ended.json", {"ended": datetime.now(UTC).isoformat(timespec="seconds"), **facts}
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Show that the run is alive, until the block or the process ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def running(self) -> bool:
        """Whether its process lives (on any host that shares the file system's locks)."""
        try:
            with (self.folder / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:  # held
            return True
        return False
