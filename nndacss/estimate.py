"""What a run will take, told before it starts.

The constants are medians of `benchmarks/adapt_scene.py` on two cores, rounded up; they are there
to choose a disk and a coffee, not to be held to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from nndacss.tile.settings import TileSettings

#: Seconds of one core a Mpx at 10 m, all stages, and a run's fixed part.
CORE_SECONDS, FIXED_SECONDS = 1.5, 10.0
#: Seconds of one core a Mpx more where a network harmonizes: our own, all of it clear ground.
DEEP_SECONDS, DEEP_FIXED = 0.9, 8.0
#: More of them where the product is composed: half of a scene under cloud.
COMPOSED_SECONDS, COMPOSED_WORK = 1.2, 7.5
#: MiB of memory, at any size: fixed and per thread.
MEMORY, MEMORY_THREAD = 560, 100
#: More of it for a network that harmonizes, fixed and per thread.
DEEP_MEMORY, DEEP_MEMORY_THREAD = 50, 50
#: MB on disk a Mpx: parts in the work root, the product; then those of the uncertainty.
WORK, PRODUCT = 8.0, 11.0
DEEP_WORK, DEEP_PRODUCT = 5.0, 6.0
#: Square kilometres of a full Sentinel-2 tile.
TILE_SQUARE_KM = 109.8**2
#: Kilometres a degree of latitude.
DEGREE_KM = 111.2


@dataclass(frozen=True)
class Expected:
    """Size, time, memory and disk of a run."""

    mpx: float
    """Million pixels of the output."""
    seconds: float
    memory: float
    """MiB."""
    work: float
    """MB."""
    product: float
    """MB."""

    def __str__(self) -> str:
        return (
            f"about {self.mpx:.1f} Mpx at 10 m: {self.seconds:.0f} s, {self.memory / 1024:.1f} GiB "
            f"of memory, {self.work:.0f} MB of work files, {self.product:.0f} MB of product"
        )


def expect(
    square_km: float,
    settings: TileSettings,
    threads: int,
    *,
    deep: bool = False,
    composed: bool = False,
) -> Expected:
    """From the scene's size and the wanted grid; areas are upper bounds.

    `deep`: a network harmonizes, our own small one on the processor; `composed`: clouds and
    shadows are composed anew.
    """
    if settings.grid.startswith("mgrs:"):
        square_km = TILE_SQUARE_KM
    elif settings.grid.startswith("box:"):
        metres, rows, columns = (float(part) for part in settings.grid.split(",")[2:])
        square_km = rows * columns * metres**2 / 1e6
    if settings.bbox is not None:
        west, south, east, north = settings.bbox
        width = (east - west) % 360 * DEGREE_KM * math.cos(math.radians((south + north) / 2))
        square_km = min(square_km, width * (north - south) * DEGREE_KM)
    mpx = square_km / 100
    core = CORE_SECONDS + DEEP_SECONDS * deep + COMPOSED_SECONDS * composed
    return Expected(
        mpx,
        FIXED_SECONDS + DEEP_FIXED * deep + mpx * core / threads,
        MEMORY + DEEP_MEMORY * deep + (MEMORY_THREAD + DEEP_MEMORY_THREAD * deep) * threads,
        mpx * (WORK + DEEP_WORK * deep + COMPOSED_WORK * composed),
        mpx * (PRODUCT + DEEP_PRODUCT * deep),
    )


def free_mb(folder: Path) -> float:
    """MB free on the disk where `folder` is or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return disk_usage(folder).free / 1e6
