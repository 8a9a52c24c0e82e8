"""So many files at once from one host, by all processes of this machine together."""

from __future__ import annotations

import fcntl
import os
import random
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds between two looks for a free slot, times 0.5 to 1.5 at random.
_LOOK = 0.1


@contextmanager
def slot(host: str, parallel: int) -> Iterator[None]:
    """Hold one of `parallel` slots of a host; waits for one.

    A slot is a lock on a file, so that it is free again however its holder ends.
    """
    folder = Path(tempfile.gettempdir(), f"nndacss-slots-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    name = re.sub(r"[^\w.-]", "_", host)
    while True:
        for number in range(parallel):
            with (folder / f"{name}.{number}").open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield
                return
        time.sleep(_LOOK * random.uniform(0.5, 1.5))
