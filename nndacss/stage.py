"""The frame of a heavy stage: `python -m nndacss.<stage> recipe.json --work W`.

A stage is a child process, so that the scheduler's process never holds pixels or networks. The
frame reads the recipe, dies with its parent, reports progress as JSON lines on standard output,
writes `<work>/<stage>/<target>/stage.json` last, and ends with one line `error: ...` on standard
error and exit code 1 where something is wrong. A stage's `__main__` is one call of `run_stage`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from nndacss.errors import LossWarning, NndacssError
from nndacss.identity import Order, drafted, load_order, recipe_path
from nndacss.process import die_with

log = logging.getLogger("nndacss")

#: Written last; its presence is what "done" means.
DONE = "stage.json"


@dataclass(frozen=True)
class Context:
    """What a stage may know of the machine it runs on."""

    order: Order
    work: Path
    """Work root."""
    output: Path
    """Product root."""
    threads: int

    @property
    def folder(self) -> Path:
        """This stage's own work folder."""
        return stage_folder(self.work, self.order)

    def input(self, name: str) -> tuple[Path, dict[str, Any]]:
        """Folder and `stage.json` of an input stage, by its name in the recipe."""
        path = recipe_path(self.work, self.order.recipe.inputs[name])
        folder = stage_folder(self.work, load_order(path))
        return folder, json.loads((folder / DONE).read_text())

    def progress(self, fraction: float, message: str) -> None:
        """Tell the parent how far the stage is, 0..1."""
        emit({"progress": round(fraction, 4), "message": message})


def stage_folder(work: Path, order: Order) -> Path:
    """`<work>/<stage>/<scene or model>_<digest8>`."""
    return work / order.recipe.stage / order.target


def run_record(work: Path, digest: str) -> Path:
    """`<work>/runs/<digest>.json`: what the last run of a stage took, in one place for all.

    Seconds, peak memory (MiB), threads, host and when it ended (UTC). It stays when the stage's
    own folder is cleaned away.
    """
    return work / "runs" / f"{digest}.json"


def emit(message: Mapping[str, Any]) -> None:
    """One JSON line to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def run_stage(body: Callable[[Context], Mapping[str, Any]], argv: list[str] | None = None) -> int:
    """Run `body` in the frame; its result is kept as `summary` in `stage.json`."""
    parser = argparse.ArgumentParser(description="One stage of the pipeline, run by its task.")
    parser.add_argument("recipe", type=Path, help="<work>/recipes/<digest>.json")
    parser.add_argument("--work", type=Path, required=True, help="work root")
    parser.add_argument("--output", type=Path, default=Path("products"), help="product root")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--parent", type=int, default=0, help="process id to die with")
    arguments = parser.parse_args(argv)
    if arguments.parent:
        die_with(arguments.parent)
    _log_to_stderr()
    try:
        order = load_order(arguments.recipe)
        # losses are told once, when the scene is acquired; item and report keep them
        if order.recipe.stage == "acquire":
            warnings.simplefilter("always", LossWarning)
        else:
            warnings.simplefilter("ignore", LossWarning)
        context = Context(order, arguments.work, arguments.output, arguments.threads)
        _carry_out(body, context)
    except NndacssError as error:
        return _fail(str(error))
    except OSError as error:
        log.debug("%s", traceback.format_exc())
        return _fail(f"{error.filename or arguments.work}: {error.strerror or error}")
    except MemoryError:
        return _fail("out of memory; run with fewer threads ([machine] threads) and start again")
    return 0


def _carry_out(body: Callable[[Context], Mapping[str, Any]], context: Context) -> None:
    started = time.perf_counter()
    context.folder.mkdir(parents=True, exist_ok=True)
    sweep_drafts(context.folder)
    summary = dict(body(context))
    done = {
        "digest": context.order.recipe.digest,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_mib": _peak_mib(),
    }
    _record_run(context, done)
    with drafted(context.folder / DONE) as draft:
        draft.write_text(json.dumps({**done, "summary": summary}, indent=2, sort_keys=True))


def _peak_mib() -> int:
    """Peak resident memory of this process or of its largest child, whichever is more, MiB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    # Linux counts KiB
    return round(max(resource.getrusage(one).ru_maxrss for one in who) / 1024)


def _record_run(context: Context, done: Mapping[str, Any]) -> None:
    order = context.order
    facts = {
        **done,
        "stage": order.recipe.stage,
        "target": order.target,
        "threads": context.threads,
        "host": socket.gethostname(),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    with drafted(run_record(context.work, order.recipe.digest)) as draft:
        draft.write_text(json.dumps(facts, indent=2, sort_keys=True))


def sweep_drafts(folder: Path) -> None:
    """Remove drafts that a killed process of this host left anywhere below `folder`.

    Where the system does not list its processes (no /proc), drafts stay: they do no harm.
    """
    if not Path("/proc/self").exists():
        return
    host = os.uname().nodename
    for draft in folder.rglob(f".draft-{host}-*"):
        pid = draft.name.removeprefix(f".draft-{host}-").split("-")[0]
        if pid.isdigit() and not _at_work(int(pid)):
            draft.unlink(missing_ok=True)


def _at_work(pid: int) -> bool:
    """Whether a process of ours has that number: not a zombie, nor another program by now."""
    if pid == os.getpid():
        return True
    try:
        return b"nndacss" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    warnings.showwarning = _show_warning
    # what GDAL says of a failed read or write comes again in the exception
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Losses are news for the user; other warnings are for developers."""
    del filename, lineno, file, line
    level = logging.WARNING if issubclass(category, LossWarning) else logging.DEBUG
    log.log(level, "%s", message)


def _fail(message: str) -> int:
    log.error("error: %s", " ".join(message.split()))
    return 1
