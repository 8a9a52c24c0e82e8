"""Speed and memory of the harmonizer, as the product runs it.

    python benchmarks/harmonize_speed.py

Simulated scenes (L2SP with its L1TP) of 4, 16 and 64 Mpx at 10 m go through the harmonize stage in
its own process: reading, network, blending, quantization and files. Seconds and peak memory are
the stage's own. Beside it `bandpass`, which is what a product costs without a network. The mask
that says where ground is comes from the spectral rules and is not counted.

Of the smallest scene, apart: the network on windows in memory (halo counted), and the reading of
what it sees, on the same number of threads. Figures are medians; scenes over 20 Mpx run once. The
goal is 0.5 s a Mpx for the stage on two cores. Run it on an idle machine, and with
OPENBLAS_NUM_THREADS=1, as a stage has it, for the figures that are taken apart.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox
from rich.console import Console
from rich.table import Table

from nndacss.errors import NndacssError
from nndacss.harmonize.fields import field
from nndacss.harmonize.ground import place
from nndacss.harmonize.settings import DEFAULT_WEIGHTS
from nndacss.harmonize.weights import installed
from nndacss.models.harmonizer import Harmonizer
from nndacss.models.harmonizer_card import (
    INPUTS,
    ROLES,
    HarmonizerCard,
    harmonizer_card,
    usual_precision,
)
from nndacss.models.runtime import prepare_cpu
from nndacss.product.checks import cut
from nndacss.raster import Pixels
from nndacss.readers import find_l1, open_scene
from nndacss.tile.grid import output_grid
from nndacss.tile.settings import TileSettings

#: Scenes above it, in Mpx, run once.
LARGE = 20
#: Seconds a Mpx that the stage may take on two cores.
GOAL = 0.5

Read = Callable[[GeoBox], Pixels]


def default_weights(folder: Path) -> list[str]:
    """The installed default, or random weights of the same network: as fast, and worth nothing."""
    if installed(*DEFAULT_WEIGHTS):
        return list(DEFAULT_WEIGHTS)
    import torch

    from nndacss.models.card import save_weights
    from nndacss.models.detail import DetailArchitecture, build

    torch.manual_seed(0)
    architecture = DetailArchitecture()
    card = HarmonizerCard(
        name="random",
        purpose="speed",
        roles=INPUTS,
        family="detail",
        architecture=architecture.model_dump(),
        deviation="predicted",
        pan="known",
        multiple=6,
        reach=architecture.reach,
        training={},
        licence="none",
        sha256="",
    )
    save_weights(card, build(architecture).state_dict(), folder / "random")
    return [str(folder / "random.json")]


def simulate(folder: Path, mpx: float) -> Path:
    """Write a scene of that size at 10 m; its L2 folder."""
    if not list(folder.glob("*_L2SP_*")):
        side = str(round(math.sqrt(mpx * 1e6 / 9)))
        command = [sys.executable, "-m", "nndacss.simulate", str(folder)]
        size = ["--rows", side, "--columns", side]
        subprocess.run([*command, *size], check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*_L2SP_*"))


def stage(scene: Path, changes: Sequence[str], work: Path, threads: int) -> dict[str, float]:
    """The harmonize stage in its process, after those it needs; what it says of itself."""
    from nndacss.chain import plan
    from nndacss.settings import load_settings
    from nndacss.stage import DONE, stage_folder
    from tasks._child import run_child

    changes = ["mask.method=spectral", "harmonize.device=cpu", *changes]
    orders = plan(scene, None, load_settings(None, changes)).orders
    shutil.rmtree(stage_folder(work, orders["harmonize"]), ignore_errors=True)
    for kind in ("acquire", "mask", "harmonize"):
        done = stage_folder(work, orders[kind]) / DONE
        if not done.exists():
            recipe = orders[kind].save(work)
            run_child(kind, recipe, work, work, threads, lambda *_: None)
    found: dict[str, float] = json.loads(done.read_text())
    return found


def whole_stage(
    scene: Path, mpx: float, names: Sequence[str], work: Path, runs: int, threads: int
) -> list[str]:
    """One row: seconds a Mpx and MiB of the network's stage, and of bandpass'."""
    cells = [f"{mpx:.1f}", str(runs)]
    members = ", ".join(f'"{name}"' for name in names)
    deep = ["harmonize.method=deep", f"harmonize.weights=[{members}]"]
    for changes in (deep, ["harmonize.method=bandpass"]):
        done = [stage(scene, changes, work, threads) for _ in range(runs)]
        cells.append(f"{statistics.median(run['seconds'] for run in done) / mpx:.3f}")
        cells.append(f"{statistics.median(run['peak_mib'] for run in done):.0f}")
    return cells


def seconds_of(calls: Sequence[Callable[[], object]], runs: int, threads: int) -> float:
    """Median seconds of all calls on some threads; the first call is made once before."""
    calls[0]()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda call: call(), calls))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def memory_reader(pixels: Pixels, grid: GeoBox) -> Read:
    """Reads windows of an image in memory that lies on `grid`; NaN beyond."""

    def read(wanted: GeoBox) -> Pixels:
        result = np.full((len(pixels), *wanted.shape), np.nan, dtype=np.float32)
        to, of = [], []
        for first, start, size, count in zip(
            place(wanted), place(grid), wanted.shape, grid.shape, strict=True
        ):
            low, high = max(first, start), min(first + size, start + count)
            to.append(slice(low - first, max(high - first, low - first)))
            of.append(slice(low - start, max(high - start, low - start)))
        result[:, *to] = pixels[:, *of]
        return result

    return read


def apart(path: Path, names: Sequence[str], runs: int, threads: int) -> tuple[float, float]:
    """Seconds a Mpx of the network alone and of the reading alone."""
    scene = open_scene(path, find_l1(path))
    grid = output_grid(scene.grid(ROLES[0]), TileSettings())
    windows = [grid[place_] for place_ in cut(grid, TileSettings()).windows]
    area = math.prod(grid.shape) / 1e6
    usual = usual_precision([harmonizer_card(name) for name in names])
    network = Harmonizer(names, precision=usual)

    def seen(wanted: GeoBox) -> Pixels:
        bands = [scene.read(roles, wanted).pixels for roles in (ROLES, ("pan",))]
        return np.concatenate(bands)

    in_memory = memory_reader(seen(grid), grid)
    with field(network, in_memory, grid, threads) as values:
        calls = [lambda window=window: values(window) for window in windows]
        computing = seconds_of(calls, runs, threads) / area
    # the windows as the network asks for them, with what it sees around them
    asked: list[GeoBox] = []

    def listed(wanted: GeoBox) -> Pixels:
        asked.append(wanted)
        return in_memory(wanted)

    with field(network, listed, grid, threads) as values:
        for window in windows:
            values(window)
    reads = [lambda wanted=wanted: seen(wanted) for wanted in asked]
    return computing, seconds_of(reads, runs, threads) / area


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", nargs="+", help="names or paths; several: an ensemble")
    parser.add_argument("--mpx", type=float, nargs="+", default=[4, 16, 64])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep scenes and work here")
    arguments = parser.parse_args()
    prepare_cpu()
    threads, runs = arguments.threads, arguments.runs
    title = f"harmonize stage, {os.cpu_count()} cores, {threads} threads, medians"
    table = Table(title=title)
    for word in ("Mpx", "runs", "deep, s/Mpx", "MiB", "bandpass, s/Mpx", "MiB"):
        table.add_column(word, justify="right")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        names = arguments.weights or default_weights(folder)
        try:
            for mpx in arguments.mpx:
                scene = simulate(folder / f"scene-{mpx:g}", mpx)
                times = runs if mpx <= LARGE else 1
                work = folder / f"work-{mpx:g}"
                table.add_row(*whole_stage(scene, mpx, names, work, times, threads))
            smallest = simulate(folder / f"scene-{arguments.mpx[0]:g}", arguments.mpx[0])
            computing, reading = apart(smallest, names, runs, threads)
        except NndacssError as error:
            raise SystemExit(f"error: {error}") from error
    console = Console(width=100)
    console.print(table)
    share = reading / (reading + computing)
    console.print(
        f"{', '.join(Path(name).stem for name in names)}, {arguments.mpx[0]:g} Mpx: network alone "
        f"{computing:.3f} s/Mpx, reading alone {reading:.3f} s/Mpx ({share:.0%} of both); "
        f"goal for the stage: {GOAL} s/Mpx"
    )
    load = os.getloadavg()[0]
    if load > threads + 1:
        console.print(f"The machine was busy (load {load:.1f}): the figures are too high.")


if __name__ == "__main__":
    main()
