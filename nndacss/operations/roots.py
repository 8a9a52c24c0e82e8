"""Product roots: a folder, or a prefix of an S3-compatible bucket, asked the same questions.

A product is the folder `<scene>_<digest8>` of a root; it is complete when its `item.json` is there,
which was written last.

What a bucket holds is found out by one LIST a process, when it is first asked, not by a request
per file. What was there then, or was delivered by this process, counts as there as long as the
process lives; `refresh` has the next question ask anew. A process that luigi forks asks for the one
product that it needs by itself, since its parent's listing is older than what its siblings made.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from nndacss.operations import sizes
from nndacss.operations.sizes import TRASH, Size
from nndacss.product.bucket import Bucket, Entry, is_bucket, split_address
from nndacss.product.deliver import ITEM, deliver


class Root(Protocol):
    """Where products lie."""

    @property
    def address(self) -> str:
        """As people write it: an absolute path, or `s3://bucket/prefix`."""
        ...

    @property
    def disk(self) -> Path | None:
        """The folder; None where it is on no disk of this machine."""
        ...

    def refresh(self) -> None:
        """Have the next question ask anew."""
        ...

    def folders(self) -> list[str]:
        """Names of all folders, those of others' too; sorted."""
        ...

    def has(self, name: str, marker: str = ITEM) -> bool:
        """Whether a folder is there with the file that is written last."""
        ...

    def files(self, name: str) -> Mapping[str, int]:
        """File -> bytes of all files in a folder; empty where there is none."""
        ...

    def read(self, name: str, file: str) -> bytes | None:
        """Content of a file of a folder; None where it is not there."""
        ...

    def stamp(self, name: str, file: str = ITEM) -> str:
        """What changes when a file is written anew; empty where it is not there."""
        ...

    def measure(self, name: str) -> Size:
        """Size of a folder."""
        ...

    def unmark(self, name: str, marker: str = ITEM) -> None:
        """Remove the file that says that a folder is whole."""
        ...

    def remove(self, name: str) -> None:
        """Remove a folder; from the first moment on it is not whole any more."""
        ...

    def link(self, name: str, file: str, page: Path) -> str:
        """Address of a file as seen from a page in the folder `page`."""
        ...

    def remains(self, before: float) -> Iterator[tuple[str, Size, Callable[[], None]]]:
        """What killed removals and uploads left, older than `before`: a name, size, its removal."""
        ...


class FolderRoot:
    """A product root on a disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def address(self) -> str:
        """Absolute path."""
        return str(self.path.absolute())

    @property
    def disk(self) -> Path | None:
        """The folder."""
        return self.path

    def refresh(self) -> None:
        """Nothing is remembered."""

    def folders(self) -> list[str]:
        """Names of all folders that are not hidden."""
        if not self.path.is_dir():
            return []
        found = [entry for entry in self.path.iterdir() if not entry.name.startswith(".")]
        return sorted(entry.name for entry in found if entry.is_dir())

    def has(self, name: str, marker: str = ITEM) -> bool:
        """Whether the file is there."""
        return (self.path / name / marker).is_file()

    def files(self, name: str) -> Mapping[str, int]:
        """File -> bytes."""
        folder = self.path / name
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}

    def read(self, name: str, file: str) -> bytes | None:
        """Content of a file."""
        try:
            return (self.path / name / file).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def stamp(self, name: str, file: str = ITEM) -> str:
        """Size and time."""
        try:
            status = (self.path / name / file).stat()
        except OSError:
            return ""
        return f"{status.st_size}-{status.st_mtime_ns}"

    def measure(self, name: str) -> Size:
        """Size of a folder."""
        return sizes.measure(self.path / name)

    def unmark(self, name: str, marker: str = ITEM) -> None:
        """Remove the marker."""
        (self.path / name / marker).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a folder, gone at once."""
        sizes.remove(self.path / name)

    def link(self, name: str, file: str, page: Path) -> str:
        """Relative."""
        return quote(os.path.relpath(self.path / name / file, page))

    def remains(self, before: float) -> Iterator[tuple[str, Size, Callable[[], None]]]:
        """Folders that are as good as removed, whatever their age."""
        del before
        for path in sorted(self.path.glob(f"{TRASH}*")):
            yield str(path), sizes.measure(path), partial(sizes.remove, path)


class BucketRoot:
    """A product root in an object store."""

    def __init__(self, address: str) -> None:
        name, prefix = split_address(address)
        self.address = f"s3://{name}/{prefix}".rstrip("/")
        self.disk = None
        self._clients: dict[int, Bucket] = {}
        self._listing: dict[str, dict[str, Entry]] | None = None
        self._asked_by = 0

    @property
    def bucket(self) -> Bucket:
        """The bucket, by a client of this very process: forked ones must not share connections."""
        own = os.getpid()
        if own not in self._clients:
            self._clients[own] = Bucket(self.address)
        return self._clients[own]

    @property
    def _listed(self) -> dict[str, dict[str, Entry]]:
        """Folder -> file -> object, as this process, or the one that forked it, has listed them."""
        if self._listing is None:
            found: dict[str, dict[str, Entry]] = defaultdict(dict)
            for key, entry in self.bucket.list().items():
                name, _, file = key.partition("/")
                if file and not name.startswith("."):
                    found[name][file] = entry
            self._listing, self._asked_by = dict(found), os.getpid()
        return self._listing

    def refresh(self) -> None:
        """Forget the listing."""
        self._listing = None

    def folders(self) -> list[str]:
        """Names of all that keys have before their first slash."""
        return sorted(self._listed)

    def has(self, name: str, marker: str = ITEM) -> bool:
        """Whether it was listed; a forked process asks for one that was not."""
        if marker in self._listed.get(name, {}):
            return True
        return self._asked_by != os.getpid() and self.holds(name, marker)

    def holds(self, name: str, marker: str = ITEM) -> bool:
        """Whether the object is there at this moment, by a request of its own."""
        entry = self.bucket.entry(f"{name}/{marker}")
        if entry is not None and self._listing is not None:
            self._listing.setdefault(name, {})[marker] = entry
        return entry is not None

    def deliver(self, folder: Path, report: Callable[[float, str], None]) -> int:
        """Upload a finished product; bytes that were sent."""
        sent = deliver(folder, self.bucket, report)
        self.holds(folder.name)
        return sent

    def files(self, name: str) -> Mapping[str, int]:
        """File -> bytes, as listed."""
        return {file: entry.size for file, entry in self._listed.get(name, {}).items()}

    def read(self, name: str, file: str) -> bytes | None:
        """Content of an object."""
        found = self.bucket.read(f"{name}/{file}")
        return found[0] if found else None

    def stamp(self, name: str, file: str = ITEM) -> str:
        """ETag, as listed."""
        entry = self._listed.get(name, {}).get(file)
        return entry.tag if entry else ""

    def measure(self, name: str) -> Size:
        """Size of a folder, as listed."""
        entries = self._listed.get(name, {}).values()
        return sum((Size(entry.size, 1, entry.modified) for entry in entries), Size())

    def unmark(self, name: str, marker: str = ITEM) -> None:
        """Remove the marker."""
        self.bucket.remove([f"{name}/{marker}"])
        self._listed.get(name, {}).pop(marker, None)

    def remove(self, name: str) -> None:
        """Remove the item, then all that is there."""
        self.unmark(name)
        self.bucket.remove(self.bucket.list(f"{name}/"))
        self._listed.pop(name, None)

    def link(self, name: str, file: str, page: Path) -> str:
        """Address on the web, which opens where the bucket may be read by all."""
        del page
        return self.bucket.web(quote(f"{name}/{file}"))

    def remains(self, before: float) -> Iterator[tuple[str, Size, Callable[[], None]]]:
        """Uploads in parts that were begun before that, and never ended."""
        for upload in self.bucket.uploads():
            if upload.begun < before:
                removed = partial(self.bucket.forget, upload)
                yield f"{self.address}/{upload.key}", Size(files=1), removed


#: Of this process, so that all who ask share one listing.
_KNOWN: dict[str, BucketRoot] = {}


def open_root(place: str) -> FolderRoot | BucketRoot:
    """The product root at a path or an `s3://` address; SettingsError where it is neither."""
    if not is_bucket(place):
        return FolderRoot(Path(place))
    known = place.rstrip("/")
    if known not in _KNOWN:
        _KNOWN[known] = BucketRoot(known)
    return _KNOWN[known]
