"""Parts of one scene on a Dask cluster, which shares the work root with this machine.

A batch of parts is the unit. A worker makes it from the recipe alone: it opens the scene, computes
the parts and writes them to their places in the work root, as a stage does that works alone. So
nothing but names and counts goes over the wire, and a worker that dies costs its batch at most:
what is there is not computed again.
"""

from __future__ import annotations

import math
import os
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nndacss.errors import LossWarning, NndacssError, StageError, complain
from nndacss.identity import load_order, recipe_path
from nndacss.stage import Context
from nndacss.tile.parts import Part
from nndacss.tile.run import finished, part_file, run_parts

if TYPE_CHECKING:
    from nndacss.tile.jobs import Job

#: Seconds to reach the scheduler, and until one of its workers is there.
PATIENCE = 30.0
#: Seconds until parts that a worker has written must be seen here: file systems of a network keep
#: what they know of a folder for up to a minute.
SEEN = 90.0
#: Seconds between two looks whether there are workers.
_LOOK = 5.0
#: Batches a worker, at least, so that slow ones do not keep the others waiting at the end.
_SHARES = 4
#: What a worker calls its threads among its resources.
THREADS = "THREADS"


def run_on_cluster(
    address: str, job: Job, context: Context, progress: Callable[[int, int], None]
) -> int:
    """Have the missing parts of a job made by the cluster at `address`; returns how many.

    StageError where it cannot be reached, has no workers or loses them, and whatever a worker's
    part raises.
    """
    missing = [part for part in job.parts if not finished(part, job.layers, context.folder)]
    done = len(job.parts) - len(missing)
    progress(done, len(job.parts))
    if not missing:
        return 0
    with _client(address) as client:
        try:
            for names in _made(client, _batches(missing, client), context):
                done += len(names)
                progress(done, len(job.parts))
        except NndacssError:
            raise
        except Exception as error:
            raise _lost(address, error) from error
    _wait_for(job, context.folder)
    return len(missing)


def _made(client: Any, batches: Sequence[Sequence[str]], context: Context) -> Iterator[list[str]]:
    """Names of the parts of each batch, as it is made; the first error calls off the rest."""
    recipe, place = context.order.recipe, (str(context.work.absolute()), os.getcwd())
    prefix = f"{recipe.stage} {context.order.target}"
    run = uuid.uuid4().hex[:8]
    futures = [
        client.submit(
            make_parts, recipe.stage, recipe.digest, place, names, key=f"{prefix} {names[0]} {run}"
        )
        for names in batches
    ]
    try:
        left = set(futures)
        while left:
            ended = _wait_for_some(client, left)
            for future in ended:
                yield future.result()
            left -= ended
    finally:
        client.cancel([future for future in futures if not future.done()])


def _wait_for_some(client: Any, left: set[Any]) -> set[Any]:
    """Batches that have ended; StageError where there has been no worker for long."""
    from distributed import wait

    alone = 0.0
    while True:
        try:
            ended = wait(  # type: ignore[no-untyped-call]
                left, timeout=_LOOK, return_when="FIRST_COMPLETED"
            )
            return set(ended.done)
        except TimeoutError:
            alone = 0.0 if client.scheduler_info()["workers"] else alone + _LOOK
            if alone >= PATIENCE:
                raise StageError(_no_workers(client.scheduler.address)) from None


def make_parts(stage: str, digest: str, place: tuple[str, str], names: Sequence[str]) -> list[str]:
    """On a worker: make some parts of a stage's recipe; returns their names.

    `place` is the work root, and the folder that the stage was started in: paths of scenes and
    weights may begin there.
    """
    work, folder = place
    path = recipe_path(Path(work), digest)
    if not path.exists():
        expected = "the recipe that the stage wrote there"
        remedy = f"mount the work root on {socket.gethostname()} at the same path"
        raise StageError(complain(path, "nothing", expected, remedy))
    if Path(folder).is_dir():
        os.chdir(folder)
    warnings.simplefilter("ignore", LossWarning)  # they were told when the scene was acquired
    threads = int(os.environ.get(f"NNDACSS_{THREADS}", "1"))
    context = Context(load_order(path), Path(work), Path(), threads)
    job: Job = import_module(f"nndacss.{stage}.stage").prepare(context)[0]
    mine = [part for part in job.parts if part.name in set(names)]
    with job.compute(threads) as compute:
        run_parts(mine, job.layers, context.folder, compute, threads, lambda *_: None)
    return list(names)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """A client of a scheduler that has workers."""
    try:
        from distributed import Client
    except ImportError as error:
        remedy = "install it (pip install distributed), or leave [machine] dask empty"
        raise StageError(complain(f"dask = {address}", "no distributed", "it", remedy)) from error
    try:
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise _lost(address, error) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise StageError(_no_workers(address)) from error
        yield client


def _no_workers(address: str) -> str:
    remedy = f"start some (python -m nndacss.tile.worker {address}) and run again"
    found = f"no worker of the scheduler for {PATIENCE:.0f} s"
    return complain(f"dask = {address}", found, "one or more", remedy)


def _lost(address: str, error: Exception) -> StageError:
    said = " ".join(str(error).split()) or type(error).__name__
    expected = "a Dask scheduler whose workers stay"
    remedy = "check [machine] dask, then run again: finished parts are kept"
    return StageError(complain(f"dask = {address}", said, expected, remedy))


def _batches(missing: Sequence[Part], client: Any) -> list[list[str]]:
    """Names of parts, in batches that keep all threads of a worker busy and all workers to the end.

    Neighbours go together: they read the same blocks of the scene.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    threads = max(int(worker.get("resources", {}).get(THREADS, 1)) for worker in workers)
    size = max(math.ceil(len(missing) / (_SHARES * len(workers))), threads)
    names = [part.name for part in missing]
    return [names[start : start + size] for start in range(0, len(names), size)]


def _wait_for(job: Job, folder: Path) -> None:
    """Until all parts are seen here."""
    end = time.monotonic() + SEEN
    wanted = {
        part_file(folder, layer.name, part).name for layer in job.layers for part in job.parts
    }
    while not (there := set(os.listdir(folder / "parts"))) >= wanted:
        if time.monotonic() > end:
            found = f"no {min(wanted - there)}, which a worker has written"
            remedy = "mount the work root at the same path on all machines"
            raise StageError(complain(folder / "parts", found, "it", remedy))
        time.sleep(0.2)
