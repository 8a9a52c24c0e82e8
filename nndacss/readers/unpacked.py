"""Unpacking into a folder that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nndacss.errors import OutputError, complain


@contextmanager
def drafted_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its place when the block ends well, else vanishes.

    Where another writer was faster, its folder stays. OutputError where there is no room.
    """
    host = socket.gethostname()
    draft = folder.with_name(f".{folder.name}.{host}.{os.getpid()}.{uuid.uuid4().hex[:8]}.draft")
    try:
        _make(draft)
        yield draft
        _settle(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _settle(draft: Path, folder: Path) -> None:
    try:
        draft.replace(folder)
    except OSError as error:
        if not folder.is_dir():
            raise _unwritable(folder, error) from error


def copy(source: IO[bytes], target: Path, size: int) -> None:
    """`size` bytes of `source` as the new file `target`; EOFError where there are fewer."""
    _make(target.parent)
    try:
        file = target.open("wb")
    except OSError as error:
        raise _unwritable(target, error) from error
    with file:
        left = size
        while left:
            block = source.read(min(left, 2**20))
            if not block:
                raise EOFError(f"{target.name} ends {left} bytes early")
            try:
                file.write(block)
            except OSError as error:
                raise _unwritable(target, error) from error
            left -= len(block)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        complain(path, str(error.strerror), "room to unpack an archive", "free space or access")
    )
