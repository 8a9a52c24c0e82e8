"""`python -m nndacss.tile.worker tcp://HOST:8786`: a Dask worker that makes parts of scenes.

One a machine, or one a card. It ends when it is told to (SIGTERM, SIGINT) or loses the scheduler;
whatever started it can start it again, and it then waits a minute for a scheduler.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from nndacss.models.runtime import prepare_cpu
from nndacss.tile.cluster import THREADS

#: How long a scheduler is waited for.
_AWAY = "60s"
#: As for a stage's process, see tasks/_child.py: the threads are the parts'.
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "GDAL_CACHEMAX": "20",
    "GDAL_MAX_DATASET_POOL_SIZE": "16",
}


def main(argv: list[str] | None = None) -> int:
    """Serve a scheduler; 0 when told to end, 1 where it cannot be reached."""
    parser = argparse.ArgumentParser(description="A Dask worker that makes parts of scenes.")
    parser.add_argument("scheduler", help="address of the Dask scheduler, tcp://HOST:PORT")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="parts at a time; default: cores"
    )
    arguments = parser.parse_args(argv)
    os.environ.update(_ENVIRONMENT)
    os.environ[f"NNDACSS_{THREADS}"] = str(arguments.threads)
    prepare_cpu()
    try:
        asyncio.run(_serve(arguments.scheduler, arguments.threads))
    except (OSError, TimeoutError, ValueError) as error:
        sys.stderr.write(f"error: {arguments.scheduler}: {error}\n")
        return 1
    return 0


async def _serve(scheduler: str, threads: int) -> None:
    from distributed import Worker

    async with Worker(
        scheduler, nthreads=1, memory_limit=0, resources={THREADS: threads}, death_timeout=_AWAY
    ) as worker:
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        ends = [asyncio.create_task(one) for one in (worker.finished(), told.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if told.is_set():  # what it is at is another's at once; its drafts vanish or are swept
            await worker.close(executor_wait=False)


if __name__ == "__main__":
    sys.exit(main())
