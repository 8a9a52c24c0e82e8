"""One helper that runs a heavy stage as a child process.

The scheduler's process must stay light (luigi forks, and torch hangs in forks), so a stage is
`python -m nndacss.<stage> recipe.json`. The child dies with its parent, tells its progress as
JSON lines, and its last error line becomes the task's failure.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from nndacss.errors import StageError
from nndacss.process import die_with

log = logging.getLogger("luigi-interface")

#: Threads of numerical libraries: the stage has its own, one per part.
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: GDAL's block cache, MiB, and how many of a mosaic's files it keeps open (each holds decoding
#: buffers of its own): a stage reads and writes windows once, so more is only memory.
_GDAL = {"GDAL_CACHEMAX": "20", "GDAL_MAX_DATASET_POOL_SIZE": "16"}

#: glibc keeps a heap a thread, and gives back none: two heaps are as fast here and hold half.
_MALLOC = {"MALLOC_ARENA_MAX": "2"}

Report = Callable[[float, str], None]


def run_child(
    stage: str,
    recipe: Path,
    work: Path,
    output: Path,
    threads: int,
    report: Report,
    dask: str = "",
) -> None:
    """Run one stage to its end; StageError with its last error line where it fails.

    `dask` is the address of a scheduler whose workers make the stage's parts; else it does.
    """
    die_with_scheduler()
    command = [sys.executable, "-m", f"nndacss.{stage}", str(recipe)]
    command += ["--work", str(work), "--output", str(output)]
    command += ["--threads", str(threads), "--parent", str(os.getpid())]
    environment = {**os.environ, **_GDAL, **_MALLOC, "PYTHONUNBUFFERED": "1"}
    environment.update(dict.fromkeys(_SINGLE, "1"))
    if dask:
        environment["NNDACSS_DASK"] = dask
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        try:
            error = _follow(stage, recipe.stem, child, report)
            code = child.wait()
        except BaseException:
            child.kill()
            raise
    if code:
        raise StageError(_reason(stage, code, error))


def ask_child(module: str, arguments: Sequence[str]) -> str:
    """Standard output of a short question to the library that needs rasters."""
    command = [sys.executable, "-m", module, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise StageError(_reason(module, answer.returncode, answer.stderr.strip()[-2000:]))
    return answer.stdout.strip()


def _follow(stage: str, digest: str, child: subprocess.Popen[str], report: Report) -> str:
    """Relay progress and log lines until the child closes both; returns its last error line."""
    errors: list[str] = []

    def relay() -> None:
        for line in child.stderr or ():
            text = line.rstrip()
            if text.startswith("error: "):
                errors.append(text.removeprefix("error: "))
            elif text:
                errors.append(text)
                del errors[:-1]
                about = {"event": "stage_said", "stage": stage, "digest": digest}
                log.info("%s: %s", stage, text, extra={"fields": about})

    reader = threading.Thread(target=relay, daemon=True)
    reader.start()
    for line in child.stdout or ():
        if line.startswith("{"):
            message = json.loads(line)
            report(message["progress"], message["message"])
    reader.join()
    return errors[-1] if errors else ""


def _reason(stage: str, code: int, error: str) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = " (out of memory? use fewer threads)" if -code == signal.SIGKILL else ""
        return f"{stage} stage was ended by {name}{hint}; run again, finished parts are kept"
    last = error.removeprefix("error: ").splitlines()
    return last[-1].removeprefix("error: ") if last else f"{stage} stage ended with code {code}"


def die_with_scheduler() -> None:
    """In a forked task process, die with luigi's own: killed, it leaves its forks running."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        die_with(parent.pid)
