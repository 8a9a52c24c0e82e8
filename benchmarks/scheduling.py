"""What scheduling costs a scene: `python benchmarks/scheduling.py`.

Scenes of four stages are executed for real (recipes, luigi, targets, events, records of runs), but
each stage only writes its marker, so that what remains is the cost of ordering it. Once in runs of
at most 500 scenes, as ReprocessScenes does it, and once all in one queue; with `--central` through
a luigid on loopback, too. Planning is timed apart, on a simulated scene: identity from names, sizes
and metadata, and the recipes of all stages.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from nndacss.acquire.source import Sources
from nndacss.chain import STAGES
from nndacss.identity import Order, Recipe
from nndacss.operations.plans import Planner
from nndacss.operations.roots import FolderRoot
from nndacss.operations.scenes import list_scenes
from nndacss.settings import load_settings

#: A chunk's process whose stages only leave their marker.
_CHILD = """
import json, sys
from pathlib import Path
import tasks._base
from nndacss.identity import load_order
from nndacss.stage import run_record, stage_folder

def nothing(stage, recipe, work, output, threads, report, dask):
    order = load_order(recipe)
    folder = stage_folder(work, order)
    folder.mkdir(parents=True, exist_ok=True)
    record = run_record(work, order.recipe.digest)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"seconds": 0, "peak_mib": 0, "threads": 1}))
    (folder / "stage.json").write_text(json.dumps({"summary": {"scene": str(work), "l1": None}}))
    if stage == "product":
        (output / order.target).mkdir(parents=True)
        (output / order.target / "item.json").write_text("{}")

tasks._base.run_child = nothing
from tasks._chunk import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Case:
    """One way to order so many scenes."""

    scenes: int
    chunk: int
    workers: int
    scheduler: str


def orders(index: int) -> dict[str, Order]:
    """The stages of one scene."""
    name = f"LC08_L2SP_195025_20260415_20260420_02_T1-{index:06d}"
    acquire = Recipe("acquire", 1, {}, {"scene": f"{index:064x}"})
    mask = Recipe("mask", 1, {}, {"scene": acquire.digest})
    before = {"scene": acquire.digest, "mask": mask.digest}
    harmonize = Recipe("harmonize", 1, {}, before)
    product = Recipe("product", 1, {}, {**before, "harmonize": harmonize.digest})
    recipes = (acquire, mask, harmonize, product)
    return {recipe.stage: Order(recipe, name) for recipe in recipes}


def cpu_seconds() -> float:
    """Of all child processes that have ended, user and system."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def execute(case: Case, folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of a core, to execute all scenes; their recipes written beforehand."""
    work, root = folder / "work", folder / "products"
    members = []
    for index in range(case.scenes):
        made = orders(index)
        for order in made.values():
            order.save(work)
        product = made["product"]
        stages = {stage: order.recipe.digest for stage, order in made.items()}
        scene = {"id": product.name, "name": product.name, "target": product.target, "path": ""}
        members.append({**scene, "stages": stages})
    began, spent = time.perf_counter(), cpu_seconds()
    for first in range(0, case.scenes, case.chunk):
        facts = {"batch": "b", "root": str(root), "discard": False, "settings": ""}
        chunk = folder / "chunk.json"
        chunk.write_text(json.dumps({**facts, "scenes": members[first : first + case.chunk]}))
        run_chunk(chunk, work, case)
    seconds, core = time.perf_counter() - began, cpu_seconds() - spent
    done = sum(1 for _ in root.glob("*/item.json"))
    if done != case.scenes:
        raise SystemExit(f"{done} of {case.scenes} scenes were executed")
    return seconds, core


def run_chunk(chunk: Path, work: Path, case: Case) -> None:
    """One scheduler run; what it tells is read line by line, as ReprocessScenes reads it."""
    options = [str(chunk), "--work", str(work), "--threads", "1", "--workers", str(case.workers)]
    options += ["--dask", "", "--scheduler", case.scheduler, "--parent", str(os.getpid())]
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, *options],
        stdout=subprocess.PIPE,
        stderr=(chunk.parent / "luigi.log").open("w"),
        text=True,
    ) as child:
        for line in child.stdout or ():
            json.loads(line)
    if child.returncode:
        raise SystemExit((chunk.parent / "luigi.log").read_text()[-2000:])


@contextmanager
def luigid(folder: Path) -> Iterator[str]:
    """A central scheduler on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "luigid"), "--address", "127.0.0.1"]
    command += ["--port", str(port), "--state-path", str(folder / "luigid.state")]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
        server.terminate()


def plan_cost(folder: Path, times: int) -> float:
    """Median milliseconds to plan one scene with its Level-1 twin."""
    command = [sys.executable, "-m", "nndacss.simulate", str(folder), "--rows", "100"]
    subprocess.run([*command, "--columns", "100"], check=True, stdout=subprocess.DEVNULL)
    settings = load_settings(None)
    planner = Planner(
        settings, Sources(folder / "none", settings), FolderRoot(folder / "products"), 1
    )
    (scene,) = list_scenes(folder)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ((planned, made),) = planner.plan_all([scene])
        for order in made.values():
            order.save(folder / "work")
        taken.append(time.perf_counter() - began)
        if planned.state != "todo" or set(made) != set(STAGES):
            raise SystemExit(f"the scene cannot be planned: {planned.reason}")
    return 1000 * statistics.median(taken)


def main() -> None:
    """Execute all cases and print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scenes", type=int, nargs="+", default=[500, 1000, 4000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--central", action="store_true", help="through luigid, too")
    arguments = parser.parse_args()
    console = Console()
    console.print(f"{'scenes':>7} {'scheduler':>9} {'at once':>7} {'seconds':>8}", end=" ")
    console.print("ms a scene  ms of a core")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        kinds = ("local", "luigid") if arguments.central else ("local",)
        for count, kind in itertools.product(arguments.scenes, kinds):
            for chunk in dict.fromkeys((min(500, count), count)):
                folder = place / f"{count}-{chunk}-{kind}"
                folder.mkdir()
                with luigid(folder) if kind == "luigid" else nullcontext("local") as address:
                    case = Case(count, chunk, arguments.workers, address)
                    seconds, core = execute(case, folder)
                each = f"{1000 * seconds / count:10.1f} {1000 * core / count:13.1f}"
                console.print(f"{count:7,} {kind:>9} {chunk:7} {seconds:8.1f} {each}")
                shutil.rmtree(folder)
        console.print(f"Planning a scene with its twin: {plan_cost(place / 'scene', 50):.1f} ms")


if __name__ == "__main__":
    main()
