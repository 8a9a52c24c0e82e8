"""Sizes of folders, and their removal in one step."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: What a folder is called from the moment it is not there any more.
TRASH = ".trash-"


@dataclass(frozen=True)
class Size:
    """Of all files below a folder."""

    bytes: int = 0
    files: int = 0
    newest: float = 0.0
    """When the latest of them, or their folder, was changed; seconds since 1970."""

    def __add__(self, other: Size) -> Size:
        return Size(
            self.bytes + other.bytes, self.files + other.files, max(self.newest, other.newest)
        )


def measure(path: Path) -> Size:
    """Size of a file, or of all files below a folder; 0 where there is nothing."""
    total = Size()
    for status in _statuses(path):
        total += Size(status.st_size, 1, status.st_mtime)
    try:
        return total + Size(newest=path.stat().st_mtime)
    except OSError:
        return total


def _statuses(path: Path) -> Iterator[os.stat_result]:
    """Of all files; what vanishes meanwhile is passed over."""
    try:
        if not path.is_dir():
            yield path.stat()
            return
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _statuses(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False)
    except OSError:
        return


def remove(path: Path) -> None:
    """Remove a file or folder; a folder is gone at once, and its content deleted after that."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    trash = path.with_name(f"{TRASH}{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        os.replace(path, trash)
    except FileNotFoundError:
        return
    shutil.rmtree(trash, ignore_errors=True)


def text(count: float) -> str:
    """Bytes for people.

    >>> text(999), text(1_234_567), text(2.5e12)
    ('999 B', '1.2 MB', '2.5 TB')
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
