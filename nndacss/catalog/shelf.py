"""The catalog's two files, read and replaced so that no writer undoes what another has added.

On a disk writers take turns by a lock (`.catalog.lock`, flock: also between hosts where the file
system's locks are shared, as with NFS 4). In an object store each replaces only what it has read
(`If-Match`), and begins anew where another was faster. A store without such conditions is written
to all the same; then, and with them too, a writer looks again after it wrote, and goes on until
what it wrote is what there is.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from nndacss.catalog.collection import NAME, TABLE
from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.operations.roots import BucketRoot, Root
from nndacss.product.bucket import Bucket
from nndacss.product.deliver import MEDIA

_LOCK = ".catalog.lock"


class Shelf(Protocol):
    """Where the files lie."""

    def turn(self) -> AbstractContextManager[None]:
        """In which they are read and replaced."""
        ...

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and tag of a file; None where it is not there."""
        ...

    def swap(self, name: str, content: bytes, tag: str | None) -> bool:
        """Replace what was read with that tag (None: nothing was there); False where it changed."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file."""
        ...


class _Disk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock."""
        try:
            with (self._folder / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._sweep()
                yield
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            found = error.strerror or str(error)
            remedy = "correct --output-root or make it writable"
            raise OutputError(complain(self._folder, found, "a product root", remedy)) from error

    def _sweep(self) -> None:
        """Remove drafts of writers that were killed: who holds the lock is the only one alive."""
        for name in (NAME, TABLE):
            for draft in self._folder.glob(f".draft-*-{name}"):
                draft.unlink(missing_ok=True)

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content; the lock makes a tag needless."""
        path = self._folder / name
        return (path.read_bytes(), "") if path.exists() else None

    def swap(self, name: str, content: bytes, tag: str | None) -> bool:
        """Whole or not at all."""
        del tag
        with drafted(self._folder / name) as draft:
            draft.write_bytes(content)
        return True

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self._folder / name).unlink(missing_ok=True)


class _Store:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody waits here: who was too late finds out when writing."""
        yield

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and ETag."""
        return self._bucket.read(name)

    def swap(self, name: str, content: bytes, tag: str | None) -> bool:
        """By a conditional write."""
        return self._bucket.swap(name, content, MEDIA[Path(name).suffix], tag)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._bucket.remove([name])


def shelf_of(root: Root) -> Shelf:
    """Of a product root."""
    if isinstance(root, BucketRoot):
        return _Store(root.bucket)
    return _Disk(Path(root.address))
