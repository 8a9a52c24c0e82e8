"""Runs of the real command line, each with its own work and product roots."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from nndacss.simulate.landsat import write_landsat

ROOT = Path(__file__).parents[2]
LUIGI = str(Path(sys.executable).parent / "luigi")
#: Small windows and parts, so that a small scene has many of them.
MANY_PARTS = ("--set", "tile.window=64", "--set", "tile.part=128")


@dataclass
class Bench:
    """A folder to run in, and the ways to run."""

    folder: Path
    scene: Path
    options: tuple[str, ...] = MANY_PARTS
    environment: dict[str, str] = field(
        default_factory=lambda: {**os.environ, "PYTHONPATH": str(ROOT)}
    )

    @property
    def work(self):
        return self.folder / "work"

    @property
    def products(self):
        return self.folder / "products"

    def command(self, *options, scheduler=("--local-scheduler",), scene=None):
        command = [LUIGI, "--module", "tasks", "AdaptScene", *scheduler]
        return [*command, "--scene", str(scene or self.scene), *self.options, *options]

    def start(self, *options, **more):
        """A run in the background, in a process group of its own."""
        return subprocess.Popen(
            self.command(*options, **more),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options, **more):
        """A run to its end: exit code and what it said."""
        with self.start(*options, **more) as child:
            said = child.stderr.read()
        return child.returncode, said

    def product(self):
        (item,) = self.products.glob("*/item.json")
        return item.parent

    def living(self):
        """Processes that name this folder on their command line or work in it."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and (
                    str(self.folder) in " ".join(process.cmdline())
                    or process.cwd() == str(self.folder)
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait_until_quiet(self, seconds=5):
        """Whether no process of ours is left within some seconds."""
        end = time.monotonic() + seconds
        while self.living() and time.monotonic() < end:
            time.sleep(0.02)
        return not self.living()


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """One small simulated pair, L1 beside L2."""
    return write_landsat(tmp_path_factory.mktemp("scenes"), seed=3, rows=200, columns=220)


@pytest.fixture
def bench(tmp_path, simulated):
    return Bench(tmp_path, simulated.l2)
