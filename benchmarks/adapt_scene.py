"""Time and memory of AdaptScene over scene size: `python benchmarks/adapt_scene.py`.

Simulated scenes (L2SP with its L1TP) of 4, 16 and 64 Mpx at 10 m are adapted on this machine,
each in a fresh process tree and work root; `--full` adds one whole scene (about 520 Mpx), and
`--runs N` repeats each size. Seconds are by stage from the tasks' own `stage.json`; memory is the
peak, over the run, of the resident memory of the whole process tree (luigi and the stages),
sampled every 20 ms, shared pages counted in each process. Writing the scene is not counted.
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
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from nndacss.chain import STAGES


@dataclass(frozen=True)
class Run:
    """One adapted scene."""

    mpx: float
    seconds: float
    stages: dict[str, float]
    peak: float
    """MiB."""
    work: float
    """MB on disk."""
    product: float


def tree_memory(root: psutil.Process) -> int:
    """Resident bytes of a process and all its children."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def size_on_disk(folder: Path) -> float:
    """MB of all files below `folder`."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def adapt(scene: Path, folder: Path, threads: int) -> Run:
    """Adapt one scene with fresh work and product roots below `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "luigi.cfg").write_text(f"[machine]\nwork = work\nthreads = {threads}\n")
    command = [str(Path(sys.executable).parent / "luigi"), "--module", "tasks", "AdaptScene"]
    command += ["--local-scheduler", "--scene", str(scene), "--output", "products"]
    started = time.perf_counter()
    with (folder / "log").open("w") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        process, peak = psutil.Process(child.pid), 0
        while child.poll() is None:
            try:
                peak = max(peak, tree_memory(process))
            except psutil.Error:
                break
            time.sleep(0.02)
        if child.wait():
            raise SystemExit((folder / "log").read_text())
    seconds = time.perf_counter() - started
    stages = {}
    for stage in STAGES:
        done = next((folder / "work" / stage).glob("*/stage.json"))
        stages[stage] = json.loads(done.read_text())["seconds"]
    item = json.loads(next((folder / "products").glob("*/item.json")).read_text())
    rows, columns = item["properties"]["proj:shape"]
    disk = size_on_disk(folder / "work"), size_on_disk(folder / "products")
    return Run(rows * columns / 1e6, seconds, stages, peak / 2**20, *disk)


def simulate(folder: Path, side: int | None) -> Path:
    """Write a scene of `side` x `side` Landsat pixels (None: a whole scene); its L2 folder."""
    if not list(folder.glob("*_L2SP_*")):
        size = ["--full"] if side is None else ["--rows", str(side), "--columns", str(side)]
        subprocess.run([sys.executable, "-m", "nndacss.simulate", str(folder), *size], check=True)
    return next(folder.glob("*_L2SP_*"))


def show(runs: list[list[Run]], threads: int) -> None:
    """One row a size, medians over its runs; ratios to the first row."""
    table = Table(title=f"AdaptScene, {os.cpu_count()} cores, {threads} threads, medians")
    for title in (
        "Mpx",
        "runs",
        "seconds",
        *STAGES,
        "s/Mpx",
        "ratio",
        "peak MiB",
        "ratio",
        "work MB",
        "product MB",
    ):
        table.add_column(title, justify="right")

    def median(of: list[Run], value: str) -> float:
        return statistics.median(getattr(run, value) for run in of)

    first = runs[0]
    for same in runs:
        mpx = same[0].mpx
        rate = median(same, "seconds") / mpx
        row = [f"{mpx:.1f}", str(len(same)), f"{median(same, 'seconds'):.1f}"]
        row += [f"{statistics.median(run.stages[stage] for run in same):.1f}" for stage in STAGES]
        row += [f"{rate:.3f}", f"{rate / (median(first, 'seconds') / first[0].mpx):.2f}"]
        row += [
            f"{median(same, 'peak'):.0f}",
            f"{median(same, 'peak') / median(first, 'peak'):.2f}",
        ]
        row += [f"{median(same, 'work'):.0f}", f"{median(same, 'product'):.0f}"]
        table.add_row(*row)
    Console(width=140).print(table)


def main() -> None:
    """Run all sizes and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="add one whole scene (long)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each size (not of --full)")
    parser.add_argument("--mpx", type=float, nargs="+", default=[4, 16, 64])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="keep scenes and products here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        runs = []
        for mpx in arguments.mpx:
            scene = simulate(folder / f"scene-{mpx:g}", round(math.sqrt(mpx * 1e6 / 9)))
            runs.append(
                [adapt(scene, folder / "run", arguments.threads) for _ in range(arguments.runs)]
            )
        if arguments.full:
            scene = simulate(folder / "scene-full", None)
            runs.append([adapt(scene, folder / "run", arguments.threads)])
        show(runs, arguments.threads)


if __name__ == "__main__":
    main()
