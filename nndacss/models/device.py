"""Where networks run: the processor, or a CUDA card that no other process of ours is using.

One process a card: a lock file per card, held with `flock`, so that it falls with the process
however that ends. The lock folder is the user's own, on this machine. Cards go by their UUID,
since CUDA_VISIBLE_DEVICES renumbers them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from nndacss.errors import OutputError, SettingsError, complain

log = logging.getLogger("nndacss")

Choice = Literal["auto", "cpu", "cuda"]
"""`auto`: a CUDA card where torch finds one, else the processor."""

#: Seconds between two looks at cards that are all taken.
PATIENCE = 0.5


def cards() -> tuple[str, ...]:
    """UUIDs of the CUDA cards that torch sees, in torch's order; empty without CUDA."""
    import torch

    if not torch.cuda.is_available():
        return ()
    count = torch.cuda.device_count()
    return tuple(str(torch.cuda.get_device_properties(index).uuid) for index in range(count))


def choose(device: Choice) -> Literal["cpu", "cuda"]:
    """What `device` means here; SettingsError where `cuda` is asked for and there is none."""
    if device == "cpu":
        return "cpu"
    if cards():
        return "cuda"
    if device == "cuda":
        import torch

        build = torch.version.cuda
        found = "no CUDA card" if build else f"torch {torch.__version__}, built without CUDA"
        remedy = "use device = auto or cpu, or install the CUDA build of torch"
        raise SettingsError(complain("device = cuda", found, "a CUDA card torch can use", remedy))
    return "cpu"


@contextmanager
def claim(device: Choice) -> Iterator[str]:
    """Hold a device for a block: gives `cpu`, or `cuda:<n>` with that card's lock.

    Waits while all cards are taken by other processes of this user. The processor needs no lock.
    """
    if choose(device) == "cpu":
        yield "cpu"
        return
    with first_free(cards(), lock_folder()) as index:
        yield f"cuda:{index}"


@contextmanager
def hold(device: str) -> Iterator[None]:
    """Hold the lock of one device, `cpu` or `cuda:<n>` (`cuda` is the first), for a block."""
    if device == "cpu":
        yield
        return
    index = int(device.partition(":")[2] or 0)
    with first_free(cards()[index : index + 1], lock_folder()):
        yield


@contextmanager
def first_free(names: Sequence[str], folder: Path) -> Iterator[int]:
    """Hold the lock of the first free one of `names`; gives its index. Waits while none is."""
    said = False
    while True:
        for index, name in enumerate(names):
            handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            try:
                yield index
            finally:
                os.close(handle)  # which also lets go of the lock
            return
        if not said:
            log.info("waiting for a free card (%s)", ", ".join(names))
            said = True
        time.sleep(PATIENCE)


def lock_folder() -> Path:
    """The user's folder of card locks on this machine; OutputError where it cannot be made."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    place = Path(runtime) / "nndacss" if runtime and Path(runtime).is_dir() else None
    folder = place or Path(tempfile.gettempdir()) / f"nndacss-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        remedy = "set TMPDIR to a writable folder of this machine"
        found = error.strerror or str(error)
        raise OutputError(complain(folder, found, "a writable lock folder", remedy)) from error
    return folder
