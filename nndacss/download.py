"""Fetching one file by HTTP: resumed where it broke off, checked, whole or absent.

    download("https://host/weights.bin", Path("weights.bin"), sha256="9f86d0...")

What has arrived waits in `.part-<name>` beside the target, across runs too, and takes its place
when size and checksum are right. Proxies come from the environment, as urllib has it.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import logging
import os
import random
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from nndacss.errors import InputError, NndacssError, OutputError, StageError, complain

log = logging.getLogger("nndacss")

Progress = Callable[[int, int | None], None]
"""Bytes that are there, and bytes in all where the server or the caller knows."""

#: Tries in a row that may fail without a byte arriving.
TRIES = 5
#: Seconds before the second try; doubled for each further one, times 0.5 to 1.5 at random, so that
#: many machines do not come back at once.
FIRST_WAIT = 1.0
#: Longest wait between two tries, also where the server asks for more.
LONGEST_WAIT = 60.0
#: Seconds without a byte after which a connection counts as broken.
SILENCE = 30.0
#: Some servers refuse urllib's own name.
AGENT = "nndacss"
_BLOCK = 1 << 20
_CONNECTION = (ssl.SSLError, TimeoutError, ConnectionError)
#: Answers that may change by themselves: timeout, too many requests, server trouble.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def download(
    url: str,
    path: Path,
    sha256: str | None = None,
    size: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetch `url` (http or https) to `path`; returns `path`.

    What lies at `path` already is kept where it agrees with `sha256` and `size` (without either:
    as it is). InputError where the server has no such file or another one than stated (it is
    removed), StageError where the network or the server does not answer, OutputError where it
    cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(complain(url, "no web address", "http:// or https://", "correct the URL"))
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        remedy = "copy the SHA256 from the page of the file"
        raise InputError(complain("sha256", repr(sha256), "64 hexadecimal digits", remedy))
    if _whole(path, sha256, size):
        return path
    with _draft(path) as draft:
        if _whole(path, sha256, size):  # by another process, while this one waited
            return path
        _fetch(url, draft, sha256, size, progress or (lambda *_: None))
        _check(url, draft, sha256, size)
        draft.give_to(path)
    return path


def checksum(path: Path) -> str:
    """sha256 hex of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        return str(note["version"]) if note.get("url") == url and note.get("version") else None

    def start(self, url: str, version: str | None) -> None:
        """Begin anew with this version."""
        self.file.truncate(0)
        self._note.write_text(json.dumps({"url": url, "version": version}))

    def drop(self) -> None:
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


def _whole(path: Path, sha256: str | None, size: int | None) -> bool:
    if not path.is_file() or (size is not None and path.stat().st_size != size):
        return False
    return sha256 is None or checksum(path) == sha256.lower()


def _check(url: str, draft: _Draft, sha256: str | None, size: int | None) -> None:
    """InputError where what arrived is not what was stated; it is removed then."""
    remedy = "it was removed; check the address and what it was compared with, and run again"
    if size is not None and draft.size != size:
        found = f"{draft.size} bytes"
        draft.drop()
        raise InputError(complain(url, found, f"{size} bytes", remedy))
    if sha256 is None:
        return
    found = checksum(draft.path)
    if found != sha256.lower():
        draft.drop()
        raise InputError(complain(url, f"sha256 {found}", sha256.lower(), remedy))


def _fetch(
    url: str, draft: _Draft, sha256: str | None, size: int | None, progress: Progress
) -> None:
    """Try until all bytes are there, or `TRIES` in a row brought none."""
    failed = 0
    while True:
        before = draft.size
        try:
            _receive(url, draft, sha256 is not None, size, progress)
            return
        except _BrokenError as error:
            failed = 1 if draft.size > before else failed + 1
            if failed >= TRIES:
                found = f"no answer after {TRIES} tries ({error.reason})"
                remedy = "check the network (and HTTPS_PROXY); what has arrived is kept"
                raise StageError(complain(url, found, "the file", remedy)) from error
            wait = min(max(FIRST_WAIT * 2 ** (failed - 1), error.wait), LONGEST_WAIT)
            log.info("%s: %s; trying again", url, error.reason)
            time.sleep(wait * random.uniform(0.5, 1.5))


class _BrokenError(Exception):
    """Something that another try may mend."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


def _receive(url: str, draft: _Draft, sure: bool, size: int | None, progress: Progress) -> None:
    """One request: the rest of the file, or all of it where the server has no rest to give."""
    request = _request(url, draft, sure)
    try:
        with urllib.request.urlopen(request, timeout=SILENCE) as answer:
            _take(url, answer, draft, size, progress)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not request.has_header("Range"):
            raise _refused(url, error) from error
        # nothing after what is there: it is whole, or of another file
        if _length(error.headers) != draft.size:
            draft.start(url, None)
            raise _BrokenError("what had arrived is longer than the file") from error
    except (urllib.error.URLError, http.client.HTTPException, *_CONNECTION) as error:
        reason = getattr(error, "reason", "") or error or type(error).__name__
        raise _BrokenError(str(reason)) from error


def _request(url: str, draft: _Draft, sure: bool) -> urllib.request.Request:
    """For the rest, where some is there and the server's tag or a checksum (`sure`) tells whose."""
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    version = draft.version(url)
    if draft.size and (version is not None or sure):
        headers["Range"] = f"bytes={draft.size}-"
        if version is not None:
            headers["If-Range"] = version
    return urllib.request.Request(url, headers=headers)


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
        raise InputError(complain(url, f"{total} bytes", f"{size} bytes", "check the address"))
    if partly and not (answer.headers["Content-Range"] or "").startswith(f"bytes {draft.size}-"):
        draft.start(url, None)
        raise _BrokenError("the server sent another part than the one asked for")
    if not partly:
        draft.start(url, _version(answer.headers))
    _store(answer, draft, total, progress)


def _store(
    answer: http.client.HTTPResponse, draft: _Draft, total: int | None, progress: Progress
) -> None:
    """Append what comes, as it comes; _BrokenError where it ends before its end."""
    done = draft.size
    progress(done, total)
    while block := answer.read1(_BLOCK):
        draft.file.write(block)
        draft.file.flush()
        done += len(block)
        progress(done, total)
    if total is not None and done < total:
        raise _BrokenError(f"the connection ended after {done} of {total} bytes")


def _total(answer: http.client.HTTPResponse, have: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else None


def _length(headers: Message) -> int | None:
    """Of the whole file, as an answer 416 states it: `bytes */1234`."""
    stated = (headers.get("Content-Range") or "").rpartition("/")[2]
    return int(stated) if stated.isdigit() else None


def _version(headers: Message) -> str | None:
    """A tag by which the server knows this very file again; weak tags promise too little."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _refused(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code in _PASSING:
        asked = error.headers.get("Retry-After") or ""
        return _BrokenError(f"HTTP {error.code}", float(asked) if asked.isdigit() else 0.0)
    remedy = "look for the file on its page; where that wants a login, fetch it with a browser"
    return InputError(complain(url, f"HTTP {error.code} {error.reason}", "a file", remedy))
