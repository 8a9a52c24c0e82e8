"""kill -9 of any process at random moments: `python benchmarks/kills.py --kills 500 --folder F`.

Small simulated scenes are adapted by ReprocessScenes, again and again, while processes of the run
(luigi, its scheduler run, the processes that it forks, the stages) are killed at random moments,
one about every `--pace` seconds. Whenever luigi ends, the same command is started again, until all
products are there. Then they must equal those of a run that nobody disturbed, no process and no
failure record may be left, and after Clean no work folder. With `--s3` the products go to an S3
server (moto, started here), and no upload may be left half-way either. With `--resume` a campaign
in `F` that was stopped goes on. Exit code 1 where something was not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from nndacss.chain import STAGES
from nndacss.operations.targets import DELIVERY
from nndacss.product.bucket import Bucket
from nndacss.product.compare import differences

LUIGI = str(Path(sys.executable).parent / "luigi")
#: Without networks a stage is mostly start and writing, where kills are told apart best.
PLAIN = ("--set", "mask.method=quality", "--set", "harmonize.method=bandpass")
#: Small windows and parts, so that a small scene has many of them.
MANY_PARTS = ("--set", "tile.window=64", "--set", "tile.part=128")
#: Runs of one round, after which something is wrong.
MOST_RUNS = 200


@dataclass
class Tally:
    """What has happened so far."""

    kills: dict[str, int] = field(default_factory=dict)
    """Kind of process -> how often it was killed."""
    rounds: int = 0
    """Times that all products were made and found whole and equal."""
    runs: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All kills."""
        return sum(self.kills.values())


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """What programs need to find an S3 server of our own, which forgets all in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    where = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:  # who asks before it listens asks again
            yield {**where, **dict.fromkeys(names, "kills"), "AWS_MAX_ATTEMPTS": "10"}
        finally:
            server.terminate()


@dataclass(frozen=True)
class Campaign:
    """Its folder holds scenes, the undisturbed products, the round at work, and the tally."""

    folder: Path
    options: tuple[str, ...]
    pace: float
    draw: random.Random
    store: Mapping[str, str] | None = None
    """What programs need to find the S3 server; None: products go to a disk."""

    @property
    def root(self) -> str:
        """Product root of a round."""
        return "s3://kills/round" if self.store else "products"

    def command(self, task: str, *options: str) -> list[str]:
        """A luigi command."""
        return [LUIGI, "--module", "tasks", task, "--local-scheduler", *options]

    def reprocess(self) -> list[str]:
        """The batch, with one worker or two."""
        workers = str(self.draw.choice((1, 1, 2)))
        scenes = ("--scenes", str(self.folder / "scenes"), "--workers", workers)
        return self.command("ReprocessScenes", *scenes, *self.options)

    def begin(self) -> None:
        """An empty bucket, where there is a server; a round that another server knew is begun anew.

        Credentials and endpoint are in the environment from here on.
        """
        if not self.store:
            return
        import boto3

        os.environ.update(self.store)
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="kills")
        shutil.rmtree(self.folder / "round", ignore_errors=True)

    def prepare(self, count: int) -> None:
        """Simulate the scenes and make their products undisturbed, where that is not done."""
        from nndacss.simulate.landsat import write_landsat

        if (self.folder / "calm" / "done").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for seed in range(count):
            day = f"2026-{4 + seed:02d}-15"
            write_landsat(self.folder / "scenes", seed=seed, rows=90, columns=100, date=day)
        calm = self.folder / "calm"
        calm.mkdir()
        subprocess.run(self.reprocess(), cwd=calm, check=True, stderr=subprocess.DEVNULL)
        (calm / "done").touch()

    def round(self, tally: Tally, wanted: int) -> None:
        """Until all products are there; kills on the way, while some are wanted."""
        place = self.folder / "round"
        place.mkdir(exist_ok=True)
        for _ in range(MOST_RUNS):
            tally.runs += 1
            code = self._disturb(place, tally, wanted)
            self.save(tally)
            if code == 0:
                break
        else:
            tally.faults.append(f"round {tally.rounds + 1}: not finished in {MOST_RUNS} runs")
        tally.faults += self._check(place)
        tally.rounds += 1
        self.save(tally)
        shutil.rmtree(place)

    def _disturb(self, place: Path, tally: Tally, wanted: int) -> int:
        quiet = subprocess.DEVNULL
        command = [*self.reprocess(), "--output-root", self.root]
        with subprocess.Popen(command, cwd=place, stdout=quiet, stderr=quiet) as luigi:
            while luigi.poll() is None:
                try:
                    luigi.wait(self.draw.expovariate(1 / self.pace))
                except subprocess.TimeoutExpired:
                    if tally.total < wanted and (kind := self._kill(luigi.pid)):
                        tally.kills[kind] = tally.kills.get(kind, 0) + 1
        _wait_until_quiet(place)
        return luigi.returncode

    def _kill(self, luigi: int) -> str:
        """Kill luigi or any process below it; what it was, empty where it was gone already."""
        try:
            root = psutil.Process(luigi)
            victim = self.draw.choice([root, *root.children(recursive=True)])
            kind = _kind(victim, luigi)
            os.kill(victim.pid, signal.SIGKILL)
        except (psutil.Error, ProcessLookupError):
            return ""
        return kind

    def _check(self, place: Path) -> list[str]:
        """What is not as it should be."""
        found = list(self._fetch(place)) if self.store else []
        calm = self.folder / "calm" / "products"
        for product in sorted(calm.iterdir()):
            other = place / "products" / product.name
            found += [f"{product.name}: {line}" for line in differences(product, other)]
        found += [f"lives on: {line}" for line in _living(place)]
        found += [f"left: {path.name}" for path in place.glob("work/failures/*.json")]
        clean = self.command("Clean", "--days", "0", "--output-root", self.root)
        subprocess.run(clean, cwd=place, check=True, capture_output=True)
        stages = (*STAGES, DELIVERY)
        left = [path for stage in stages for path in (place / "work" / stage).glob("*")]
        found += [f"left by Clean: {path}" for path in left]
        found += [f"draft: {path}" for path in place.rglob(".draft-*")]
        if self.store:
            bucket = Bucket(self.root)
            found += [f"half-way: {upload.key}" for upload in bucket.uploads()]
            bucket.remove(bucket.list())
        return found

    def _fetch(self, place: Path) -> Iterator[str]:
        """Get what is in the store as `products`; names of objects that should not be there."""
        bucket = Bucket(self.root)
        for key in bucket.list():
            path = place / "products" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            content = bucket.read(key)
            path.write_bytes(content[0] if content else b"")
            if key.count("/") != 1:
                yield f"object: {key}"

    def save(self, tally: Tally) -> None:
        """Keep the tally, for `--resume`."""
        (self.folder / "tally.json").write_text(json.dumps(asdict(tally), indent=1))

    def load(self) -> Tally:
        """The tally so far."""
        path = self.folder / "tally.json"
        return Tally(**json.loads(path.read_text())) if path.exists() else Tally()


def _kind(process: psutil.Process, luigi: int) -> str:
    """What a process of a run is, for the table."""
    words = process.cmdline()
    if process.pid == luigi:
        return "luigi"
    stage = next((word for word in words if word.startswith("nndacss.")), "")
    if stage:
        return stage.removeprefix("nndacss.")
    if "tasks._chunk" in words:
        parent = process.parent()
        forked = parent is not None and "tasks._chunk" in parent.cmdline()
        return "forked task" if forked else "scheduler run"
    return "forked task"


def _living(place: Path) -> list[str]:
    """Command lines of processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.cwd() == str(place):
                found.append(" ".join(process.cmdline())[:200])
        except psutil.Error:
            continue
    return found


def _wait_until_quiet(place: Path) -> None:
    """Children die with their parents; the kernel takes a moment."""
    end = time.monotonic() + 10
    while _living(place) and time.monotonic() < end:
        time.sleep(0.05)


def show(tally: Tally, console: Console) -> None:
    """The table."""
    table = Table(title=f"{tally.total} kills in {tally.runs} runs, {tally.rounds} rounds")
    table.add_column("killed")
    table.add_column("times", justify="right")
    for kind, count in Counter(tally.kills).most_common():
        table.add_row(kind, str(count))
    console.print(table)
    for fault in tally.faults:
        console.print(f"FAULT {fault}", soft_wrap=True, markup=False)
    if not tally.faults:
        console.print("After each round: products equal the undisturbed ones, nothing left over.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--folder", type=Path, required=True, help="made where missing")
    parser.add_argument("--resume", action="store_true", help="go on with what is in the folder")
    parser.add_argument("--scenes", type=int, default=3)
    parser.add_argument("--pace", type=float, default=3.0, help="mean seconds between kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--s3", action="store_true", help="products go to an S3 server")
    parser.add_argument("--networks", action="store_true", help="with the default settings")
    asked = parser.parse_args(argv)
    folder = asked.folder.absolute()
    if not asked.resume and folder.exists():
        parser.error(f"{folder} is there already: give --resume, or another folder")
    options = MANY_PARTS if asked.networks else (*MANY_PARTS, *PLAIN)
    with s3_server() if asked.s3 else nullcontext() as store:
        campaign = Campaign(folder, options, asked.pace, random.Random(asked.seed), store)
        campaign.prepare(asked.scenes)
        campaign.begin()
        tally = campaign.load()
        while tally.total < asked.kills and not tally.faults:
            campaign.round(tally, asked.kills)
    show(tally, Console())
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
