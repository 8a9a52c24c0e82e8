"""The frame of a stage: what it sweeps away and what it leaves, and how it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nndacss.identity import Order, Recipe, drafted
from nndacss.stage import run_stage, stage_folder, sweep_drafts


def draft_of(folder, pid):
    path = folder / f".draft-{os.uname().nodename}-{pid}-abc-x.tif"
    path.write_text("half")
    return path


def test_drafts_of_the_dead_are_swept_and_of_the_living_kept(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.exit()"])
    while Path(f"/proc/{child.pid}/cmdline").read_bytes():  # until it is a zombie
        time.sleep(0.01)
    zombie = draft_of(tmp_path, child.pid)
    foreign = draft_of(tmp_path, 1)  # a number that another program has by now
    own = draft_of(tmp_path, os.getpid())
    elsewhere = tmp_path / f".draft-other-host-{child.pid}-abc-x.tif"
    elsewhere.write_text("half")
    sweep_drafts(tmp_path)
    child.wait()
    assert [path.exists() for path in (zombie, foreign, own, elsewhere)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.fixture
def order(tmp_path):
    made = Order(Recipe("mask", 1, {}, {}), "scene")
    return made, made.save(tmp_path)


def run(body, path, work):
    return run_stage(body, [str(path), "--work", str(work), "--threads", "1"])


def test_done_is_written_last(order, tmp_path):
    made, path = order
    done = stage_folder(tmp_path, made) / "stage.json"

    def body(context):
        assert not done.exists()
        with drafted(context.folder / "a.txt") as draft:
            draft.write_text("a")
        return {"answer": 42}

    assert run(body, path, tmp_path) == 0
    assert '"answer": 42' in done.read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (OSError(28, "No space left on device", "x.tif"), "x.tif: No space left on device"),
    ],
)
def test_faults_of_the_machine_are_one_line(order, tmp_path, caplog, error, said):
    made, path = order

    def body(_):
        raise error

    assert run(body, path, tmp_path) == 1
    assert said in caplog.text
    assert not (stage_folder(tmp_path, made) / "stage.json").exists()
