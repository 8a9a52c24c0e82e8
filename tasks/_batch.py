"""A list of scenes worked off in chunks, each a scheduler run in a child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luigi.interface import core
from luigi.rpc import RemoteScheduler

from nndacss.errors import StageError
from nndacss.operations import failures
from nndacss.operations.batch import Batch
from nndacss.operations.failures import Failure
from nndacss.operations.plans import Planned
from nndacss.operations.roots import open_root
from tasks._base import machine
from tasks._board import Board
from tasks._child import die_with_scheduler
from tasks._log import forward

#: How often a chunk is begun again whose scheduler run was killed.
_ATTEMPTS = 3
#: Seconds until a central scheduler is asked again for what other hosts are making.
_PATIENCE = 5.0


def _core() -> Any:
    """Luigi's own options of this command."""
    return core()  # type: ignore[no-untyped-call]


def scheduler_address() -> str:
    """Where this command schedules: `local`, or the central scheduler's address."""
    asked = _core()
    if asked.local_scheduler:
        return "local"
    return str(asked.scheduler_url or f"http://{asked.scheduler_host}:{asked.scheduler_port}/")


def _made_elsewhere(scenes: Sequence[Planned]) -> bool:
    """Whether another worker of the central scheduler has a stage of one of the scenes at work."""
    address = scheduler_address()
    if address == "local":
        return False
    digests = {digest for scene in scenes for digest in scene.stages.values()}
    scheduler: Any = RemoteScheduler
    running: Mapping[str, Any] = scheduler(address).task_list("RUNNING", "")
    return any(task["params"].get("recipe") in digests for task in running.values())


def workers() -> int:
    """How many scenes' stages run at once, as given with --workers."""
    return max(int(_core().workers), 1)


def threads_each() -> int:
    """Threads of a stage: as [machine] says, or the cores shared out among the workers."""
    return machine().threads or max((os.cpu_count() or 1) // workers(), 1)


@dataclass(frozen=True)
class Runner:
    """Works off the scenes of a batch that are to be made."""

    batch: Batch
    work: Path
    root: str
    """Product root."""
    discard: bool
    """Whether a scene's parts are removed when its product is whole."""
    board: Board
    settings: str
    """Their digest."""

    def run(self, scenes: Sequence[Planned], size: int) -> None:
        """All of them, `size` at a time; what fails leaves a record and stops nothing.

        StageError where the scheduler cannot be reached.
        """
        for number, begin in enumerate(range(0, len(scenes), size), start=1):
            self._chunk(f"chunk-{number:03d}.json", scenes[begin : begin + size])

    def _chunk(self, name: str, scenes: Sequence[Planned]) -> None:
        left, killed = list(scenes), 0
        while left:
            code = self._start(name, left)
            if code > 0:
                found = f"the scheduler's run ended with code {code}"
                raise StageError(f"{found}; see {self.batch.folder / 'luigi.log'}, then run again")
            open_root(self.root).refresh()
            left = [scene for scene in left if not self._settled(scene)]
            if code == 0:
                if not left or not _made_elsewhere(left):
                    return
                time.sleep(_PATIENCE)
                continue
            killed, ended = killed + 1, signal.Signals(-code).name
            if killed == _ATTEMPTS:
                for scene in left:
                    self._give_up(scene, ended)
                return
            self.board.say(f"the scheduler's run was ended by {ended}; {len(left)} scenes go on")

    def _settled(self, scene: Planned) -> bool:
        record = failures.load(self.work, scene.target)
        done = open_root(self.root).has(scene.target)
        return done or (record is not None and record.batch == self.batch.id)

    def _give_up(self, scene: Planned, ended: str) -> None:
        reason = f"the scheduler's run was ended by {ended} {_ATTEMPTS} times (out of memory?)"
        where = (scene.target, scene.name, scene.digest, "schedule", reason, scene.place)
        failures.keep(self.work, Failure(*where, self.settings, self.batch.id))

    def _start(self, name: str, scenes: Sequence[Planned]) -> int:
        """One scheduler run, to its end; its exit code, negative where a signal ended it."""
        die_with_scheduler()
        members = [scene.as_json() for scene in scenes]
        facts = {"batch": self.batch.id, "root": self.root, "discard": self.discard}
        facts["settings"] = self.settings
        chunk = self.batch.write(name, {**facts, "scenes": members})
        command = [sys.executable, "-m", "tasks._chunk", str(chunk), "--work", str(self.work)]
        command += ["--threads", str(threads_each()), "--workers", str(workers())]
        command += ["--dask", machine().dask]
        command += ["--scheduler", scheduler_address(), "--parent", str(os.getpid())]
        with (
            (self.batch.folder / "luigi.log").open("a") as said,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True
            ) as child,
        ):
            try:
                for line in child.stdout or ():
                    if line.startswith("{"):
                        self._happened(json.loads(line))
                return child.wait()
            except BaseException:
                child.kill()
                raise

    def _happened(self, line: Mapping[str, Any]) -> None:
        forward(line)
        self.board.happened(line)
