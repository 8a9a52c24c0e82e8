"""A listed scene brought here: resumed, verified, whole or absent.

    fetch(listing, lambda done, total: None)

Files come to `<scenes>/.part/<scene>/`, which takes the scene's place when all are there; a run
that was killed is gone on with. A file that is not what the archive states is put into
`<scenes>/.quarantine/<scene>/` and fetched once more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from nndacss.acquire.access import Door
from nndacss.acquire.layout import Wanted
from nndacss.acquire.listing import Listing
from nndacss.acquire.slots import slot
from nndacss.download import WrongFileError, download
from nndacss.errors import NndacssError, OutputError, complain
from nndacss.sums import multihash

Progress = Callable[[int, int], None]
"""Bytes that are here, and bytes in all."""

#: Times that a file is fetched which arrives damaged.
_TRIES = 2


def fetch(listing: Listing, progress: Progress = lambda *_: None, parallel: int = 4) -> Path:
    """The scene's folder, with every file that its reader needs; returns it.

    At most `parallel` files at once from one host. Errors of `nndacss.download`.
    """
    scene = listing.scene
    if not scene.is_dir():
        part = scene.parent / ".part" / scene.name
        try:
            with _held(part):
                if not scene.is_dir():  # by another process, while this one waited
                    _begin(listing, part)
                    _Fetching(listing, part, progress, parallel).run()
                    os.replace(part, scene)
        except NndacssError:
            raise
        except OSError as error:
            found = f"{error.strerror or error} while writing"
            remedy = "free disk space or choose another work root, and run again: it is resumed"
            raise OutputError(complain(part, found, "a writable place", remedy)) from error
    return scene


@contextmanager
def _held(part: Path) -> Iterator[None]:
    """The folder of a scene on its way, for one process at a time; free however that ends."""
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.with_name(f"{part.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _begin(listing: Listing, part: Path) -> None:
    """What is here already: the metadata, and notes of what the archive did."""
    part.mkdir(exist_ok=True)
    for name, text in listing.notes.items():
        (part / name).write_text(text)
    for file in listing.files:
        if file.metadata:
            (part / file.name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(listing.folder / file.name, part / file.name)


def quarantine(scene: Path) -> Path:
    """Move a fetched scene that cannot be read out of the way; returns where it is now."""
    place = scene.parent / ".quarantine" / f"{scene.name}.{time.time_ns()}"
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(scene, place)
    return place


class _Fetching:
    """Files of one scene on their way."""

    def __init__(self, listing: Listing, part: Path, progress: Progress, parallel: int) -> None:
        self._door: Door = listing.door()
        self._listing, self._part, self._parallel = listing, part, parallel
        self._progress, self._lock = progress, threading.Lock()
        self._done = {file.name: file.size or 0 for file in listing.files if file.metadata}

    def run(self) -> None:
        """All images; the first error ends those that have not begun."""
        pool = ThreadPoolExecutor(self._parallel)
        files = [file for file in self._listing.files if not file.metadata]
        running = [pool.submit(self._fetch, file) for file in files]
        try:
            for future in running:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch(self, file: Wanted) -> None:
        bad = self._part.parent.parent / ".quarantine" / self._part.name
        url, sign = self._door.sign(file.href, file.asset if file.signed else "")
        target, stated = self._part / file.name, multihash(file.checksum or "")
        for left in reversed(range(_TRIES)):
            with slot(urlsplit(url).netloc, self._parallel):
                try:
                    tell = self._teller(file.name)
                    download(url, target, stated, file.size, tell, sign, bad)
                except WrongFileError:
                    if not left:
                        raise
                else:
                    self._tell(file.name, file.size or 0)
                    return

    def _teller(self, name: str) -> Callable[[int, int | None], None]:
        return lambda done, _: self._tell(name, done)

    def _tell(self, name: str, done: int) -> None:
        with self._lock:
            self._done[name] = done
            self._progress(sum(self._done.values()), self._listing.size)
