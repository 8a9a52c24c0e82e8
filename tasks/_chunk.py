"""`python -m tasks._chunk chunk.json`: the scenes of one chunk, in a scheduler run of their own.

Luigi's time per request grows with its queue, so a long list is worked off in runs of some hundred
scenes. Such a run is a child process: it is as large as its chunk, and when it is killed the rest
of the list goes on. It tells what happens as JSON lines on standard output and leaves a record of
each failure, of a stage that said why and of a task process that was killed before it could.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import luigi
from luigi.configuration import get_config
from luigi.rpc import RPCError

from nndacss.errors import NndacssError
from nndacss.operations import failures
from nndacss.operations.clean import discard
from nndacss.operations.failures import Failure
from nndacss.operations.roots import open_root
from nndacss.process import die_with
from tasks._base import StageTask
from tasks._log import JsonLines, listen, tell
from tasks.product import MakeProduct

#: Bytes of a message: a line must go through a pipe in one piece (PIPE_BUF is 4096 on Linux).
_LONGEST = 1500


class Recorder:
    """Leaves and removes failure records as the tasks of a chunk end."""

    def __init__(self, chunk: dict[str, Any], work: Path) -> None:
        self._batch, self._work = chunk["batch"], work
        self._settings = chunk["settings"]
        self._discard, self._root = chunk["discard"], open_root(chunk["root"])
        self._of: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for scene in chunk["scenes"]:
            for digest in scene["stages"].values():
                self._of[digest].append(scene)

    def watch(self) -> None:
        """Be told by luigi, in this process and in those that it forks."""
        on: Any = StageTask.event_handler
        for event, action in (
            (luigi.Event.FAILURE, self.failed),
            (luigi.Event.BROKEN_TASK, self.failed),
            (luigi.Event.PROCESS_FAILURE, self.died),
            (luigi.Event.TIMEOUT, self.died),
            (luigi.Event.SUCCESS, self.succeeded),
        ):
            on(event)(action)

    def failed(self, task: StageTask, error: BaseException) -> None:
        """A stage said why it could not go on, or something unexpected happened."""
        ours = isinstance(error, NndacssError)
        self._keep(task, str(error) if ours else f"{type(error).__name__}: {error}")

    def died(self, task: StageTask, message: str) -> None:
        """A task's process is gone; luigi tells it in the process that forked it."""
        code = message.rpartition(" ")[2]
        if "exit code -" in message and code.lstrip("-").isdigit():
            name = signal.Signals(-int(code)).name
            message = f"its process was ended by {name} (out of memory?)"
        self._keep(task, f"{message}; run again, finished parts are kept")

    def succeeded(self, task: StageTask) -> None:
        """A stage is done; after the last one the product is whole."""
        if not isinstance(task, MakeProduct):
            return
        for scene in self._of[task.recipe]:
            failures.remove(self._work, scene["target"])
            tell("scene_done", scene["target"], scene=scene["name"], product=scene["target"])
            if self._discard:
                discard(self._work, self._root, scene["stages"], self._batch)

    def _keep(self, task: StageTask, reason: str) -> None:
        for scene in self._of[task.recipe]:
            where = {"target": scene["target"], "scene": scene["name"]}
            kept = failures.keep(
                self._work,
                Failure(
                    **where,
                    digest=scene["stages"]["product"],
                    stage=task.stage,
                    reason=reason,
                    place=scene["path"] or scene["id"],
                    settings=self._settings,
                    batch=self._batch,
                ),
            )
            tell(
                "scene_failed",
                kept.reason[:_LONGEST],
                logging.ERROR,
                scene=kept.scene,
                product=kept.target,
                stage=kept.stage,
                attempts=kept.attempts,
            )


def main(argv: list[str] | None = None) -> int:
    """Work off a chunk; 0 also where scenes failed, 1 where the scheduler cannot be reached."""
    parser = argparse.ArgumentParser(description="One chunk of a batch, run by ReprocessScenes.")
    parser.add_argument("chunk", type=Path)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", required=True)
    parser.add_argument("--dask", required=True, help="address of a Dask scheduler, or empty")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--scheduler", required=True, help="address, or local")
    parser.add_argument("--parent", type=int, required=True, help="process id to die with")
    arguments = parser.parse_args(argv)
    die_with(arguments.parent)
    chunk = json.loads(arguments.chunk.read_text())
    for option in ("work", "threads", "dask"):
        value = getattr(arguments, option)
        get_config().set("machine", option, value)  # type: ignore[no-untyped-call]
    listen(JsonLines(sys.stdout.fileno(), {"batch": chunk["batch"]}))
    Recorder(chunk, Path(arguments.work)).watch()
    products = [
        MakeProduct(name=scene["name"], recipe=scene["stages"]["product"], root=chunk["root"])
        for scene in chunk["scenes"]
    ]
    local = arguments.scheduler == "local"
    place = {"local_scheduler": True} if local else {"scheduler_url": arguments.scheduler}
    try:
        build: Any = luigi.build
        build(products, workers=arguments.workers, log_level="INFO", **place)
    except RPCError as error:
        tell("scheduler_lost", " ".join(str(error).split())[:_LONGEST], logging.ERROR)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
