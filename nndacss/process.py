"""Processes that do not outlive each other, and give back what they do not need."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from nndacss.errors import StageError

J = TypeVar("J")
"""What one call of a worker is given."""

#: prctl(2) option: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, however it ends.

    Linux only; elsewhere a stage whose parent was killed runs to its end, which is harmless
    (its results are whole or absent) but takes its time.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def release_memory() -> None:
    """Give freed memory back to the system between steps of different shape.

    glibc keeps what was freed, in pieces that the next step cannot use, so that a stage's peak
    would be the sum of its steps'. A no-op with other C libraries.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def finished(work: Callable[[J], object], jobs: Sequence[J], workers: int, did: str) -> Iterator[J]:
    """Jobs as `work` has done them, in so many processes; the first error ends the rest.

    One worker or job is done in this process. StageError, which tells what a process `did`, where
    one was killed.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            work(job)
            yield job
        return
    # spawn: workers start clean; each dies with us, however we end
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, die_with, (os.getpid(),)) as pool:
        running = {pool.submit(work, job): job for job in jobs}
        try:
            for future in as_completed(running):
                future.result()
                yield running[future]
        except BrokenProcessPool as error:
            raise StageError(
                f"a process that {did} was killed (out of memory?); run again with fewer "
                "threads ([machine] threads), finished parts are kept"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
