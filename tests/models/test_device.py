"""Devices and their locks, seen from several processes."""

import subprocess
import sys
import time

import pytest

from nndacss.errors import SettingsError
from nndacss.models import device

HOLD = """
import sys, time
from pathlib import Path
from nndacss.models.device import first_free
with first_free(sys.argv[2:], Path(sys.argv[1])) as index:
    print(index, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Starts processes that hold one of the named locks until they are killed."""
    children = []

    def start(*names):
        command = [sys.executable, "-c", HOLD, str(tmp_path), *names]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        children.append(child)
        return child, int(child.stdout.readline())

    yield start
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()


def test_auto_and_cpu(monkeypatch):
    assert device.choose("cpu") == "cpu"
    monkeypatch.setattr(device, "cards", tuple)
    assert device.choose("auto") == "cpu"
    with device.claim("auto") as chosen:
        assert chosen == "cpu"
    monkeypatch.setattr(device, "cards", lambda: ("GPU-1",))
    assert device.choose("auto") == "cuda"


def test_cuda_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(device, "cards", tuple)
    with pytest.raises(SettingsError, match=r"device = cuda: found .* use device = auto"):
        device.choose("cuda")


def test_two_processes_take_two_cards_and_a_third_waits(holder, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "PATIENCE", 0.01)
    first, index = holder("a", "b")
    assert index == 0
    with device.first_free(["a", "b"], tmp_path) as second:
        assert second == 1
    _, index = holder("b")
    first.kill()  # the lock falls with the process
    started = time.monotonic()
    with device.first_free(["a", "b"], tmp_path) as third:
        assert third == 0
    assert time.monotonic() - started < 10


def test_the_lock_folder_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = device.lock_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert device.lock_folder() == tmp_path / "nndacss"


@pytest.mark.gpu
def test_card_and_processor_agree(tmp_path):
    """Labels equal on 99.9 % of the pixels, and a card's batches do not mix their tiles."""
    import numpy as np

    from nndacss.models.mask_model import load_mask_model
    from tests.models.small import save_small

    path = save_small(tmp_path)
    pixels = np.random.default_rng(0).random((6, 700, 600), dtype=np.float32)
    ours, theirs = (load_mask_model(path, name)(pixels, metres=30) for name in ("cpu", "cuda"))
    assert (ours.labels == theirs.labels).mean() > 0.999
    again = load_mask_model(path, "cuda")(pixels, metres=30)
    assert np.array_equal(theirs.probability, again.probability)
