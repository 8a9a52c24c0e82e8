"""Parts by a Dask cluster of real processes: the bytes of one process, and plain errors."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from nndacss.chain import plan
from nndacss.errors import StageError
from nndacss.harmonize.stage import harmonize_scene
from nndacss.identity import load_order, recipe_path
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat
from nndacss.stage import Context
from nndacss.tile import cluster
from nndacss.tile.jobs import DASK

pytest.importorskip("distributed", reason="no Dask: distributed is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::nndacss.errors.LossWarning")
MANY = ["tile.window=64", "tile.part=128", "harmonize.method=bandpass", "harmonize.sharpen=false"]


@contextmanager
def process(*arguments):
    """A Python process of its own, killed in the end."""
    child = subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@contextmanager
def scheduler(folder):
    """The address of a scheduler without workers, and its process."""
    told = folder / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file")
    with process("distributed.cli.dask_scheduler", *options, str(told)) as child:
        end = time.monotonic() + 60
        while time.monotonic() < end and child.poll() is None:
            with suppress(OSError, ValueError):
                yield json.loads(told.read_text())["address"], child
                return
            time.sleep(0.05)
        pytest.fail("the scheduler did not start")


def worker(address):
    return process("nndacss.tile.worker", address, "--threads", "1")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_landsat(tmp_path_factory.mktemp("scenes"), seed=5, rows=90, columns=90)


def context(pair, work):
    """The harmonize stage of a scene that is acquired."""
    orders = plan(pair.l2, None, load_settings(None, MANY)).orders
    for order in orders.values():
        order.save(work)
    acquired = work / "acquire" / orders["acquire"].target
    acquired.mkdir(parents=True)
    # as of an archive that was unpacked into a work root without its full path
    summary = {"scene": os.path.relpath(pair.l2), "l1": None}
    (acquired / "stage.json").write_text(json.dumps({"summary": summary}))
    order = load_order(recipe_path(work, orders["harmonize"].recipe.digest))
    made = Context(order, work, work / "products", threads=1)
    made.folder.mkdir(parents=True)
    return made


def sums(one):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in one.folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def alone(pair, tmp_path):
    """What one process makes: summary and sums of its files."""
    made = context(pair, tmp_path / "alone")
    return harmonize_scene(made), sums(made)


def test_two_workers_make_the_bytes_of_one_process(pair, alone, tmp_path, monkeypatch, capsys):
    with scheduler(tmp_path) as (address, _), worker(address), worker(address):
        monkeypatch.setenv(DASK, address)
        monkeypatch.chdir(tmp_path)
        made = context(pair, Path("work"))
        capsys.readouterr()
        assert (harmonize_scene(made), sums(made)) == alone
        shares = [json.loads(line)["progress"] for line in capsys.readouterr().out.splitlines()]
        assert shares == sorted(shares)
        assert len(shares) > 3
        # what is there is not made again, whoever asks
        lose_a_part(made)
        assert harmonize_scene(made)["computed"] == 1
        assert sums(made) == alone[1]
        # an error of a part is the stage's
        lose_a_part(made)
        recipe_path(made.work, made.order.recipe.digest).unlink()
        with pytest.raises(StageError, match=r"mount the work root on .* at the same path"):
            harmonize_scene(made)


def lose_a_part(made):
    next((made.folder / "parts").glob("reflectance*")).unlink()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_part(pair, alone, tmp_path, monkeypatch):
    """The other makes its batch; with all gone, the stage waits for new ones."""
    monkeypatch.setattr(cluster, "_SHARES", 8)
    with scheduler(tmp_path) as (address, _), worker(address) as first, worker(address):
        monkeypatch.setenv(DASK, address)
        made = context(pair, tmp_path / "work")
        killed = []

        def kill(fraction, _):
            if fraction > 0.1 and not killed:
                os.kill(first.pid, signal.SIGKILL)
                killed.append(fraction)

        monkeypatch.setattr(Context, "progress", lambda _, *how: kill(*how))
        assert (harmonize_scene(made), sums(made)) == alone
        assert killed


@pytest.mark.slow
def test_a_scheduler_that_is_killed_and_workers_that_never_come(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    monkeypatch.setattr(cluster, "_LOOK", 0.5)
    made = context(pair, tmp_path / "work")
    with scheduler(tmp_path) as (address, child):
        monkeypatch.setenv(DASK, address)
        with pytest.raises(StageError, match=r"no worker of the scheduler.*nndacss.tile.worker"):
            harmonize_scene(made)
        monkeypatch.setattr(cluster, "PATIENCE", 60.0)
        with worker(address):
            real = Context.progress

            def kill(context, fraction, message):
                if fraction > 0.1:
                    child.kill()
                real(context, fraction, message)

            monkeypatch.setattr(Context, "progress", kill)
            with pytest.raises(StageError, match=r"dask = tcp.*finished parts are kept"):
                harmonize_scene(made)
    assert len(list((made.folder / "parts").iterdir())) > 1


def test_a_scheduler_that_cannot_be_reached_is_told(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv(DASK, address)
    with pytest.raises(StageError, match=f"dask = {address}.*a Dask scheduler.*run again"):
        harmonize_scene(context(pair, tmp_path))
