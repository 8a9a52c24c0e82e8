"""Fetching one file by HTTP: resumed where it broke off, checked, whole or absent.

    download("https://host/weights.bin", Path("weights.bin"), sha256="9f86d0...")

What has arrived waits in `.part-<name>` beside the target, across runs too, and takes its place
when size and checksum are right. How a request is repeated is `nndacss.web`'s.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import re
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from nndacss.errors import InputError, NndacssError, OutputError, complain
from nndacss.sums import Sum
from nndacss.web import BrokenError, Sign, Signed, Unsigned, opened, persist, shown, stated_length

Progress = Callable[[int, int | None], None]
"""Bytes that are there, and bytes in all where the server or the caller knows."""

_BLOCK = 1 << 20


class WrongFileError(InputError):
    """What arrived is not the file that was stated."""


def download(
    url: str,
    path: Path,
    sha256: str | Sum | None = None,
    size: int | None = None,
    progress: Progress | None = None,
    sign: Sign | None = None,
    quarantine: Path | None = None,
) -> Path:
    """Fetch `url` (http or https) to `path`; returns `path`.

    What lies at `path` already is kept where it agrees with `sha256` (or another kind of sum) and
    `size` (without either: as it is). `sign` signs each request. InputError where the server has
    no such file or refuses, WrongFileError where it has another one than stated (what came is
    moved to the folder `quarantine`, without one removed), StageError where the network or the
    server does not answer, OutputError where it cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        found = "no web address"
        raise InputError(complain(shown(url), found, "http:// or https://", "correct the URL"))
    wanted = _Wanted(_sum(sha256), size, quarantine)
    if wanted.is_at(path):
        return path
    with _draft(path) as draft:
        if wanted.is_at(path):  # by another process, while this one waited
            return path
        _fetch(url, sign or Unsigned(url), draft, wanted, progress or (lambda *_: None))
        _check(url, draft, wanted)
        draft.give_to(path)
    return path


def checksum(path: Path) -> str:
    """sha256 hex of a file."""
    return Sum("sha256", "").of(path)


def _sum(stated: str | Sum | None) -> Sum | None:
    if not isinstance(stated, str):
        return stated
    if not re.fullmatch("[0-9a-fA-F]{64}", stated):
        remedy = "copy the SHA256 from the page of the file"
        raise InputError(complain("sha256", repr(stated), "64 hexadecimal digits", remedy))
    return Sum("sha256", stated.lower())


@dataclass(frozen=True)
class _Wanted:
    """What is known of a file before it is here."""

    sum: Sum | None
    size: int | None
    quarantine: Path | None

    def is_at(self, path: Path) -> bool:
        """Whether the file lies there already."""
        if not path.is_file() or (self.size is not None and path.stat().st_size != self.size):
            return False
        return self.sum is None or self.sum.of(path) == self.sum.value


@dataclass
class _Draft:
    """What has arrived of a file, and which version of the remote file it is of."""

    path: Path
    file: BinaryIO

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def version(self, url: str) -> str | None:
        """The server's tag of what has arrived; None where it is of another address."""
        try:
            note = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return None
        same = note.get("url") == shown(url)
        return str(note["version"]) if same and note.get("version") else None

    def start(self, url: str, version: str | None) -> None:
        """Begin anew with this version. The note holds no signature: the next run has another."""
        self.file.truncate(0)
        self._note.write_text(json.dumps({"url": shown(url), "version": version}))

    def drop(self, into: Path | None = None) -> None:
        """Remove it, or keep it in another folder for people to look at."""
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            os.replace(self.path, into / self.path.name.removeprefix(".part-"))
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def give_to(self, path: Path) -> None:
        os.fsync(self.file.fileno())
        os.replace(self.path, path)
        self._note.unlink(missing_ok=True)


@contextmanager
def _draft(path: Path) -> Iterator[_Draft]:
    """The draft of `path`, held by one process at a time; OutputError where none can be written."""
    place = path.with_name(f".part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with place.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _same(file, place):  # it was given away while this process waited
                    continue
                draft = _Draft(place, file)
                try:
                    yield draft
                finally:
                    if draft.size == 0 and _same(file, place):
                        draft.drop()
                return
    except NndacssError:
        raise
    except OSError as error:
        remedy = "free disk space or choose another folder, and run again: it is resumed"
        found = f"{error.strerror or error} while writing"
        raise OutputError(complain(path, found, "a writable place", remedy)) from error


def _same(file: BinaryIO, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def _check(url: str, draft: _Draft, wanted: _Wanted) -> None:
    """WrongFileError where what arrived is not what was stated; it is put away then."""
    found, expected = f"{draft.size} bytes", f"{wanted.size} bytes"
    if wanted.size is None or draft.size == wanted.size:
        if wanted.sum is None:
            return
        value = wanted.sum.of(draft.path)
        if value == wanted.sum.value:
            return
        found, expected = f"{wanted.sum.algorithm} {value}", wanted.sum.value
    draft.drop(wanted.quarantine)
    put = f"moved to {wanted.quarantine}" if wanted.quarantine else "removed"
    remedy = f"it was {put}; check the address and what it was compared with, and run again"
    raise WrongFileError(complain(shown(url), found, expected, remedy))


def _fetch(url: str, sign: Sign, draft: _Draft, wanted: _Wanted, progress: Progress) -> None:
    """Request after request, until all bytes are there."""

    def attempt(signed: Signed) -> None:
        headers = _range(url, draft, wanted.sum is not None)
        try:
            with opened(signed, headers) as answer:
                _take(url, answer, draft, wanted.size, progress)
        except urllib.error.HTTPError as error:
            # 416, nothing after what is there: it is whole, or of another file
            if not headers or stated_length(error.headers) != draft.size:
                draft.start(url, None)
                raise BrokenError("what had arrived is longer than the file") from error

    persist(url, sign, attempt, lambda: draft.size)


def _range(url: str, draft: _Draft, sure: bool) -> dict[str, str]:
    """For the rest, where some is there and the server's tag or a checksum (`sure`) tells whose."""
    version = draft.version(url)
    if not draft.size or (version is None and not sure):
        return {}
    rest = {"Range": f"bytes={draft.size}-"}
    return rest if version is None else {**rest, "If-Range": version}


def _take(
    url: str,
    answer: http.client.HTTPResponse,
    draft: _Draft,
    size: int | None,
    progress: Progress,
) -> None:
    """Check that it is the file, or the part, that was asked for; store it."""
    partly = answer.status == 206
    total = _total(answer, draft.size if partly else 0)
    if size is not None and total is not None and total != size:
        found = f"{total} bytes" + _page(answer)
        raise WrongFileError(complain(shown(url), found, f"{size} bytes", "check the address"))
    if partly and not (answer.headers["Content-Range"] or "").startswith(f"bytes {draft.size}-"):
        draft.start(url, None)
        raise BrokenError("the server sent another part than the one asked for")
    if not partly:
        draft.start(url, _version(answer.headers))
    _store(answer, draft, total, progress)


def _page(answer: http.client.HTTPResponse) -> str:
    """What servers send instead of a file to those who have not logged in."""
    is_page = answer.headers.get_content_type() == "text/html"
    return " of a web page, perhaps one that asks to log in" if is_page else ""


def _store(
    answer: http.client.HTTPResponse, draft: _Draft, total: int | None, progress: Progress
) -> None:
    """Append what comes, as it comes; BrokenError where it ends before its end."""
    done = draft.size
    progress(done, total)
    while block := answer.read1(_BLOCK):
        draft.file.write(block)
        draft.file.flush()
        done += len(block)
        progress(done, total)
    if total is not None and done < total:
        raise BrokenError(f"the connection ended after {done} of {total} bytes")


def _total(answer: http.client.HTTPResponse, have: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else None


def _version(headers: Message) -> str | None:
    """A tag by which the server knows this very file again; weak tags promise too little."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")
