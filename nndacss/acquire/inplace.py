"""A listed scene read where it is: only the blocks that windows need come here, once.

    folder = lay_out(listing)        # a scene for any reader; its images are holes

The folder is as a download would leave it, but for the content of the images: they have their
sizes, and take no space. Before GDAL opens one, its headers are fetched to their place
(`bring_headers`), and before it reads a window, the blocks of that window (`bring_window`). What is
here is marked, so that further windows, threads, stages and machines with the same work root find
it. GDAL sees local files only: the pixels are those of a download, a signature that runs out is
renewed, and none gets into a path or message of GDAL's.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import tempfile
import threading
import urllib.error
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nndacss.acquire.access import Door
from nndacss.acquire.layout import Wanted
from nndacss.acquire.listing import Listing, load_listing
from nndacss.acquire.slots import slot
from nndacss.acquire.tiff import walk
from nndacss.errors import InputError, NndacssError, OutputError, complain
from nndacss.identity import drafted
from nndacss.web import BrokenError, DeniedError, Signed, opened, persist, shown, stated_length

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

#: Bytes that are fetched at least: about a row of a COG's tiles of a small area (a tile of
#: 256 x 256 uint16 pixels has 130 kB before compression), so that few requests are made.
BLOCK = 1 << 18
#: Blocks that are fetched in one request, and held in memory: 16 MiB.
_MOST = 64
#: Length of the mark of the remote file's version at the start of a file of marks.
_VERSION = 64
#: Bytes before and after a range that GDAL, or the C library's buffers (4096), may read along with
#: it: they must not be taken from a hole and kept.
_ALONG = 1 << 13
_INSTEAD = "or fetch the scene whole (acquire.remote=false)"


def place(listing: Listing) -> Path:
    """Where the scene is laid out."""
    return listing.scene.parent / ".remote" / listing.scene.name


def lay_out(listing: Listing, parallel: int = 4) -> Path:
    """The scene's folder, its images as holes of their sizes; returns it.

    `parallel` requests go to one host at once. OutputError where there is no room for it.
    """
    folder = place(listing)
    try:
        for name, text in listing.notes.items():
            _kept(folder / name).write_text(text)
        for file in listing.files:
            path = _kept(folder / file.name)
            if file.metadata:
                shutil.copyfile(listing.folder / file.name, path)
                continue
            note = {"listing": str(listing.path.resolve()), "file": file.name}
            with drafted(_note(path)) as draft:
                draft.write_text(json.dumps({**note, "parallel": parallel}))
            with path.open("ab") as image:
                image.truncate(file.size or 0)
    except OSError as error:
        found = f"{error.strerror or error} while writing"
        remedy = "free disk space or choose another work root"
        raise OutputError(complain(folder, found, "a writable place", remedy)) from error
    return folder


def _kept(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _note(path: Path) -> Path:
    return path.with_name(f".remote-{path.name}.json")


def _marks(path: Path) -> Path:
    """A byte a block, 1 where it is here: single bytes can be written by many at once."""
    return path.with_name(f".blocks-{path.name}")


def forget(path: str) -> None:
    """Take what is here of an image for damaged: it is fetched anew."""
    _marks(Path(path)).unlink(missing_ok=True)
    mirror.cache_clear()


def bring_headers(path: str) -> None:
    """Have all that GDAL reads when it opens an image; of JPEG 2000 that is the whole file."""
    image = mirror(path)
    if path.lower().endswith(".jp2"):
        image.bring([(0, image.size)])
        return
    walk(lambda start, end: image.read(start, end))


def bring_window(path: str, dataset: DatasetReader, rows: range, columns: range) -> None:
    """Have all blocks of an open image that a window lies in."""
    if path.lower().endswith(".jp2"):
        return
    high, wide = dataset.block_shapes[0]
    ranges = []
    for row in range(rows.start // high, -(-rows.stop // high)):
        for column in range(columns.start // wide, -(-columns.stop // wide)):
            where = f"{column}_{row}"
            start, size = (
                dataset.get_tag_item(f"BLOCK_{what}_{where}", "TIFF", bidx=1)
                for what in ("OFFSET", "SIZE")
            )
            if start is not None and size is not None:  # a block of nodata may not be stored
                ranges.append((int(start), int(start) + int(size)))
    mirror(path).bring(ranges)


@dataclass(frozen=True)
class _Origin:
    """The remote file of an image."""

    door: Door
    file: Wanted
    parallel: int


@lru_cache(maxsize=16)
def _listing(path: str) -> tuple[Listing, Door]:
    listing = load_listing(Path(path))
    return listing, listing.door()


@lru_cache(maxsize=128)
def mirror(path: str) -> Mirror:
    """The image at a path."""
    note = json.loads(_note(Path(path)).read_text())
    listing, door = _listing(note["listing"])
    file = next(file for file in listing.files if file.name == note["file"])
    return Mirror(Path(path), _Origin(door, file, note["parallel"]))


class Mirror:
    """One image, here in part. Safe to use from several threads and processes."""

    def __init__(self, path: Path, origin: _Origin) -> None:
        self._path, self._origin = path, origin
        self._lock = threading.Lock()
        self._image = self._open(path)
        self._marks: int | None = None
        self.size = origin.file.size or 0

    def read(self, start: int, end: int) -> bytes:
        """Bytes from `start` to before `end` or the file's, fetched where they are not here."""
        end = min(end, self.size)
        if start >= end:
            return b""
        self.bring([(start, end)])
        return os.pread(self._image, end - start, start)

    def _open(self, path: Path) -> int:
        """A handle that is closed with this object."""
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        weakref.finalize(self, os.close, handle)
        return handle

    def bring(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Have the bytes of `ranges` here, and those around them that GDAL reads along."""
        blocks: set[int] = set()
        for start, end in ranges:
            last = min(end + _ALONG, self.size)
            blocks.update(range(max(start - _ALONG, 0) // BLOCK, -(-last // BLOCK)))
        if not blocks:
            return
        try:
            with self._lock:  # a block is fetched by one thread, the others find it
                for run in _runs(sorted(blocks - self._here(blocks))):
                    self._fetch(*run)
        except NndacssError:
            raise
        except OSError as error:
            found = f"{error.strerror or error} while writing"
            remedy = "free disk space and run again: what has arrived is kept"
            raise OutputError(complain(self._path, found, "a writable place", remedy)) from error

    def _here(self, blocks: set[int]) -> set[int]:
        """Which of some blocks are marked."""
        if self._marks is None:
            try:
                self._marks = self._open(_marks(self._path))
            except FileNotFoundError:
                return set()
        first, last = min(blocks), max(blocks)
        marks = os.pread(self._marks, last - first + 1, _VERSION + first)
        return {first + index for index, mark in enumerate(marks) if mark}

    def _fetch(self, first: int, last: int) -> None:
        """Blocks that follow each other, in one request."""
        start, end = first * BLOCK, min(last * BLOCK, self.size)
        door, file = self._origin.door, self._origin.file
        url, sign = door.sign(file.href, file.asset if file.signed else "")
        with slot(urlsplit(url).netloc, self._origin.parallel):
            data, version = persist(url, sign, lambda signed: _range(signed, start, end, self.size))
        self._check_version(url, version)
        os.pwrite(self._image, data, start)
        os.fdatasync(self._image)  # before they are marked, also for other machines
        os.pwrite(self._marks or 0, bytes([1]) * (last - first), _VERSION + first)

    def _check_version(self, url: str, version: str) -> None:
        """InputError where the remote file is another one than when its first block came."""
        if self._marks is None:
            self._begin(version)
        known = os.pread(self._marks or 0, _VERSION, 0).decode()
        if known != version:
            forget(str(self._path))
            remedy = f"run again: it is read anew; {_INSTEAD}"
            raise InputError(complain(shown(url), "another version", "the one begun with", remedy))

    def _begin(self, version: str) -> None:
        """The file of marks, by whoever is first."""
        marks = _marks(self._path)
        with tempfile.NamedTemporaryFile(dir=marks.parent, prefix=".draft-") as draft:
            draft.write(version.encode() + bytes(-(-self.size // BLOCK)))
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, marks)
        self._marks = self._open(marks)


def _runs(blocks: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted blocks as runs for one request each: first, and one after the last."""
    runs: list[tuple[int, int]] = []
    for block in blocks:
        if runs and runs[-1][1] == block < runs[-1][0] + _MOST:
            runs[-1] = (runs[-1][0], block + 1)
        else:
            runs.append((block, block + 1))
    return runs


def _range(signed: Signed, start: int, end: int, size: int) -> tuple[bytes, str]:
    """Bytes of a remote file, and the sha256 of what the server calls its version."""
    try:
        with opened(signed, {"Range": f"bytes={start}-{end - 1}"}) as answer:
            _check_answer(signed.url, answer, size)
            data = answer.read()
            version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    except urllib.error.HTTPError as error:  # 416: it is shorter
        raise _other_size(signed.url, stated_length(error.headers), size) from error
    if len(data) != end - start:
        raise BrokenError(f"{len(data)} of {end - start} bytes")
    return data, hashlib.sha256(version.encode()).hexdigest()


def _check_answer(url: str, answer: http.client.HTTPResponse, size: int) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise DeniedError("a web page, perhaps one that asks to log in")
    if answer.status != 206:
        found, remedy = f"HTTP {answer.status} without range", "fetch it (acquire.remote=false)"
        raise InputError(complain(shown(url), found, "a server of ranges", remedy))
    if (stated := stated_length(answer.headers)) != size:
        raise _other_size(url, stated, size)


def _other_size(url: str, found: int | None, size: int) -> InputError:
    remedy = "it was replaced or cut: search for the scene again"
    return InputError(complain(shown(url), f"{found} bytes", f"{size}, as listed", remedy))
