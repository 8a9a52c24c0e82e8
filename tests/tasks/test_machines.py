"""Many machines: the printed settings of luigid, and luigid, Dask and S3 together, for real."""

import configparser
import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack

import luigi.scheduler
import pytest
from luigi.scheduler import Scheduler

from benchmarks import workers
from nndacss.product.compare import differences
from nndacss.simulate.landsat import write_landsat
from tests.servers.s3 import shared_s3
from tests.tasks.conftest import LUIGI, MANY_PARTS, Bench


def printed(title):
    found = configparser.ConfigParser()
    found.read_string(workers.printed(title))
    return found


@pytest.fixture
def clock(monkeypatch):
    """Luigi's scheduler on a clock of its own."""

    class Clock:
        now = 1e9

        def time(self):
            return self.now

    own = Clock()
    monkeypatch.setattr(luigi.scheduler, "time", own)
    return own


def takeover(scheduler, clock):
    """Seconds from the last sign of life of a worker until another gets its task."""
    for name in ("a", "b"):
        scheduler.add_task(task_id="scene", worker=name)
    assert scheduler.get_work(worker="a")["task_id"] == "scene"
    begun = clock.now
    for _ in range(3600):
        clock.now += 1
        answer = scheduler.get_work(worker="b")
        if answer["task_id"]:
            return clock.now - begun
        assert answer["n_pending_tasks"] or answer["running_tasks"]  # so that b goes on asking
    return None


def test_the_printed_settings_give_a_dead_workers_stage_to_another_in_time(clock):
    settings = printed("luigid.cfg")["scheduler"]
    known = {
        "worker_disconnect_delay": float,
        "retry_delay": float,
        "prune_on_get_work": lambda text: text == "true",
        "retry_count": int,
        "disable_window": int,
    }
    assert set(settings) == set(known)
    found = {name: known[name](text) for name, text in settings.items()}
    took = takeover(Scheduler(**found), clock)
    expected = found["worker_disconnect_delay"] + found["retry_delay"]
    assert expected <= took <= expected + 3
    assert takeover(Scheduler(), clock) is None  # luigi's own: nobody looks for the dead


def test_a_scene_that_always_fails_lets_workers_end(clock):
    settings = printed("luigid.cfg")["scheduler"]
    retries = {name: int(settings[name]) for name in ("retry_count", "disable_window")}
    scheduler = Scheduler(retry_delay=float(settings["retry_delay"]), **retries)
    tries = 0
    for _ in range(200):
        clock.now += 1
        scheduler.add_task(task_id="bad", worker="a", status="PENDING") if not tries else None
        answer = scheduler.get_work(worker="a")
        scheduler.prune()
        if answer["task_id"]:
            tries += 1
            scheduler.add_task(task_id="bad", worker="a", status="FAILED")
    assert tries == retries["retry_count"]
    assert scheduler.get_work(worker="a")["n_pending_tasks"] == 0


def test_workers_go_on_asking_and_know_where_work_is():
    settings = printed("luigi.cfg")
    assert settings["worker"]["keep_alive"] == "true"
    assert set(settings["machine"]) == {"work"}


def test_a_scheduler_that_is_away_is_told_in_a_line(bench):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (bench.folder / "luigi.cfg").write_text("[core]\nrpc-retry-attempts = 1\nrpc-retry-wait = 1\n")
    where = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(port))
    command = [LUIGI, "--module", "tasks", "ReprocessScenes", *where, "--scenes", str(bench.scene)]
    done = subprocess.run(
        command, cwd=bench.folder, env=bench.environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert re.search(rf"error: luigid: .*127.0.0.1:{port}.*--local-scheduler", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.fixture
def two(tmp_path):
    """Two small scenes, and their products by one process."""
    for seed, day in enumerate(("2026-04-15", "2026-05-01")):
        write_landsat(tmp_path / "scenes", seed=seed, rows=90, columns=100, date=day)
    alone = Bench(tmp_path / "alone", tmp_path / "scenes")
    alone.folder.mkdir()
    command = [LUIGI, "--module", "tasks", "ReprocessScenes", "--local-scheduler", *MANY_PARTS]
    command += ["--scenes", str(alone.scene)]
    subprocess.run(command, cwd=alone.folder, env=alone.environment, check=True)
    return alone


@pytest.mark.slow
def test_luigid_workers_dask_and_s3_make_the_bytes_of_one_process(two, tmp_path, monkeypatch):
    """Of two luigi workers, one is killed in the middle of a stage; so is a Dask worker."""
    from tests.tile.test_cluster import scheduler, worker

    server = shared_s3()
    server.bucket("delivered")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    quick = workers.printed("luigid.cfg").replace("delay = 30", "delay = 8")
    place = tmp_path / "cluster"
    place.mkdir()
    with ExitStack() as stack:
        port = stack.enter_context(workers.luigid(tmp_path / "luigid", quick))
        address, _ = stack.enter_context(scheduler(tmp_path))
        parts = [stack.enter_context(worker(address)) for _ in range(2)]
        options = [*MANY_PARTS, "--machine-dask", address, "--output-root", "s3://delivered/night"]
        running = {
            name: stack.enter_context(workers.worker(place, two.scene, port, name, list(options)))
            for name in ("first", "second")
        }
        name, begun = workers.stage_begun(place, "harmonize", tuple(running))
        os.killpg(running[name].pid, signal.SIGKILL)
        parts[0].kill()
        ((other, left),) = [(n, r) for n, r in running.items() if n != name]
        workers.stage_begun(place, "harmonize", (other,), begun["digest"])
        assert left.wait(600) == 0, (place / f"{other}.log").read_text()
    server.download("delivered", tmp_path / "bucket")
    made = sorted(item.parent for item in two.products.glob("*/item.json"))
    assert len(made) == 2
    for product in made:
        assert differences(product, tmp_path / "bucket" / "night" / product.name) == []
