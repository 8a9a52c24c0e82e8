"""A stage's work on one scene as parts: carried out by threads of this process, or by a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from nndacss.stage import Context
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import Part
from nndacss.tile.run import Compute, Layer, run_parts

#: Variable of the environment with the address of a Dask scheduler, as `[machine] dask` sets it.
DASK = "NNDACSS_DASK"


@dataclass(frozen=True)
class Job:
    """All that a stage makes of one scene."""

    parts: Sequence[Part]
    layers: Sequence[Layer]
    compute: Callable[[int], AbstractContextManager[Compute]]
    """For so many threads: holds devices and networks while windows are computed."""


def carry_out(job: Job, context: Context) -> int:
    """Make all parts that are missing, and the mosaics over them; how many were computed.

    By the Dask cluster at the address in `NNDACSS_DASK`, where it is set, else here. What is
    computed is the same either way.
    """

    def progress(done: int, total: int) -> None:
        context.progress(done / total, f"part {done} of {total}")

    if address := os.environ.get(DASK):
        from nndacss.tile.cluster import run_on_cluster

        count = run_on_cluster(address, job, context, progress)
    else:
        with job.compute(context.threads) as compute:
            threads = context.threads
            count = run_parts(job.parts, job.layers, context.folder, compute, threads, progress)
    for layer in job.layers:
        mosaic(job.parts, layer, context.folder)
    return count
