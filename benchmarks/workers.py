"""Equal workers of a central scheduler, on one machine: `python benchmarks/workers.py --folder F`.

Starts luigid, and workers as docs/machines.md has them, with the settings that are printed there.

- Throughput: the same simulated scenes by one worker and by two, each with one thread (of torch,
  too); scenes an hour and their ratio. Both must make the same products.
- Takeover (`--takeover`): of two workers one is killed, with all its processes, in the middle of a
  stage; seconds until the other begins that stage.

Run it on a machine that does nothing else, with two cores or more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from nndacss.product.compare import differences

PAGE = Path(__file__).parent.parent / "docs" / "machines.md"
PROGRAMS = Path(sys.executable).parent
#: Seconds in which a scheduler starts, and a round ends.
PATIENCE = 3600.0


def printed(title: str) -> str:
    """The settings that docs/machines.md prints as the file `title`."""
    found = re.search(rf"^```ini\n# {re.escape(title)}\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    if found is None:
        raise SystemExit(f"{PAGE} prints no {title}")
    return found[1]


@contextmanager
def luigid(folder: Path, settings: str = "") -> Iterator[int]:
    """The port of a central scheduler, with the settings that are printed or others."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder.mkdir(parents=True)
    (folder / "luigid.cfg").write_text(settings or printed("luigid.cfg"))
    environment = {**os.environ, "LUIGI_CONFIG_PATH": str(folder / "luigid.cfg")}
    command = [str(PROGRAMS / "luigid"), "--address", "127.0.0.1", "--port", str(port)]
    command += ["--state-path", str(folder / "state")]
    with (
        (folder / "luigid.log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            _until(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
            yield port
        finally:
            server.kill()


def _until(attempt: Any) -> None:
    """Until it raises no OSError."""
    end = time.monotonic() + 60
    while True:
        try:
            attempt()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def worker(place: Path, scenes: Path, port: int, name: str, options: list[str]) -> Iterator[Any]:
    """The worker command, in a session of its own; killed with all its processes in the end."""
    (place / "luigi.cfg").write_text(printed("luigi.cfg"))
    command = [str(PROGRAMS / "luigi"), "--module", "tasks", "ReprocessScenes", "--no-lock"]
    command += ["--scheduler-host", "127.0.0.1", "--scheduler-port", str(port)]
    command += ["--scenes", str(scenes), "--machine-threads", "1", *options]
    command += ["--machine-work", "work"]
    command += ["--machine-log-json", f"{name}.jsonl"]
    with (
        (place / f"{name}.log").open("w") as log,
        subprocess.Popen(
            command, cwd=place, stdout=log, stderr=log, start_new_session=True
        ) as running,
    ):
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def events(path: Path) -> list[dict[str, Any]]:
    """What a worker has told so far."""
    if not path.exists():
        return []
    lines = path.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def throughput(folder: Path, scenes: Path, count: int, options: list[str]) -> float:
    """Seconds in which so many workers make all products; what they are goes to `products`."""
    place = folder / f"{count}"
    shutil.rmtree(place, ignore_errors=True)
    with luigid(place / "scheduler") as port, ExitStack() as stack:
        started = time.monotonic()
        running = [
            stack.enter_context(worker(place, scenes, port, f"worker{number}", options))
            for number in range(count)
        ]
        codes = [one.wait(PATIENCE) for one in running]
        seconds = time.monotonic() - started
    if any(codes):
        raise SystemExit(f"a worker ended with {codes}; see {place}/*.log")
    made = sorted(item.parent for item in (place / "products").glob("*/item.json"))
    expected = len(list(scenes.glob("*L2SP*")))
    if len(made) != expected:
        raise SystemExit(f"{len(made)} products of {expected} scenes in {place}")
    return seconds


def takeover(folder: Path, scenes: Path, stage: str, options: list[str]) -> float:
    """Seconds from the kill of a worker in a stage until the other begins that stage."""
    place = folder / "takeover"
    shutil.rmtree(place, ignore_errors=True)
    with luigid(place / "scheduler") as port, ExitStack() as stack:
        running = {
            name: stack.enter_context(worker(place, scenes, port, name, options))
            for name in ("first", "second")
        }
        name, begun = stage_begun(place, stage, tuple(running))
        killed = running.pop(name)
        os.killpg(killed.pid, signal.SIGKILL)
        then = time.time()
        killed.wait()
        ((other, left),) = running.items()
        _, taken = stage_begun(place, stage, (other,), begun["digest"])
        code = left.wait(PATIENCE)
    if code:
        raise SystemExit(f"the other worker ended with {code}; see {place}/{other}.log")
    return datetime.fromisoformat(taken["time"]).timestamp() - then


def stage_begun(
    place: Path, stage: str, workers: tuple[str, ...], digest: str = ""
) -> tuple[str, dict[str, Any]]:
    """The worker that has begun a stage, of any scene or of one, and what it told of it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for name in workers:
            for event in events(place / f"{name}.jsonl"):
                fits = (event.get("event"), event.get("stage")) == ("stage_started", stage)
                if fits and digest in ("", event["digest"]):
                    return name, event
        time.sleep(0.05)
    raise SystemExit(f"no {stage} stage was begun in {place}")


def prepare(folder: Path, count: int, size: int) -> Path:
    """Simulated scenes, made once; returns their folder."""
    from nndacss.simulate.landsat import write_landsat

    scenes = folder / "scenes"
    for seed in range(count):
        done = folder / f"scene{seed}"
        if not done.exists():
            day = f"2026-{1 + seed % 12:02d}-15"
            write_landsat(scenes, seed=seed, rows=size, columns=size, date=day)
            done.touch()
    return scenes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--folder", type=Path, required=True, help="scenes and products go here")
    parser.add_argument("--scenes", type=int, default=6, help="how many scenes")
    parser.add_argument("--size", type=int, default=400, help="30 m pixels a side of a scene")
    parser.add_argument("--takeover", action="store_true", help="measure takeover, not throughput")
    parser.add_argument("--repeat", type=int, default=3, help="takeovers that are measured")
    parser.add_argument("--set", action="append", default=[], help="section.key=value")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    options = [text for setting in arguments.set for text in ("--set", setting)]
    if arguments.takeover:
        scenes = prepare(folder, 2, arguments.size)
        found = [takeover(folder, scenes, "mask", options) for _ in range(arguments.repeat)]
        shown = ", ".join(f"{seconds:.0f}" for seconds in found)
        Console().print(f"takeover after {shown} s (median {statistics.median(found):.0f} s)")
        return 0
    scenes = prepare(folder, arguments.scenes, arguments.size)
    seconds = {count: throughput(folder, scenes, count, options) for count in (1, 2)}
    return show(folder, arguments.scenes, seconds)


class _Plain(argparse.RawDescriptionHelpFormatter):
    """The text above as it is."""


def show(folder: Path, scenes: int, seconds: dict[int, float]) -> int:
    """The table; 1 where the products differ."""
    table = Table(title=f"{scenes} scenes, one thread a worker, {os.cpu_count()} cores")
    for title in ("workers", "seconds", "scenes an hour", "ratio"):
        table.add_column(title, justify="right")
    for count, took in seconds.items():
        ratio = f"{seconds[1] / took:.2f}"
        table.add_row(str(count), f"{took:.1f}", f"{3600 * scenes / took:.0f}", ratio)
    Console().print(table)
    one, two = (folder / str(count) / "products" for count in (1, 2))
    wrong = [
        line
        for item in sorted(one.glob("*/item.json"))
        for line in differences(item.parent, two / item.parent.name)
    ]
    Console().print("\n".join(wrong) if wrong else "both made the same products")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
