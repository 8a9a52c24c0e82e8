"""The files of one product, in a folder or an archive: names, sizes, metadata bytes.

An archive is never trusted: every member is looked at before one byte is unpacked, and links,
devices, sparse members, names that lead out of the folder, duplicates and absurd sizes are
errors. A `.tar` is read in place (GDAL's /vsitar/); a compressed one can be read in place too,
but every window then costs a decompression from the start, so `unpack` it first.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Self

from nndacss.errors import ArchiveError, InputError, MetadataError, OutputError, complain
from nndacss.readers.landsat.names import format_rank, metadata_of
from nndacss.readers.unpacked import copy, drafted_folder

#: A Landsat bundle holds about 25 files, 1 to 3 GB unpacked, 1 to 4 times its compressed size.
MAX_MEMBERS = 200
MAX_BYTES = 40 * 2**30
MAX_RATIO = 200
_RATIO_COUNTS_FROM = 2**28
#: A metadata file is about 20 kB.
MAX_METADATA = 2**22
_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)


class _Member(tarfile.TarInfo):
    """A member whose header must be whole.

    Python's tarfile takes a broken header for the end of the archive, which would hide that
    files are lost; only the zero block that a whole archive ends with is its end here.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """The header in `buf`; ReadError where it is none."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf) or len(buf) < tarfile.BLOCKSIZE:
                raise tarfile.ReadError(f"it ends early or holds garbage: {error}") from error
            raise


@dataclass(frozen=True)
class Store:
    """What lies in a folder or archive."""

    path: Path
    archive: bool
    sizes: Mapping[str, int]
    """Name without folders -> bytes."""
    members: Mapping[str, str]
    """Name without folders -> path inside the folder or archive."""
    metadata: Mapping[str, bytes]
    """Contents of the metadata files (cut after `MAX_METADATA` + 1 bytes)."""

    def find(self, name: str) -> str | None:
        """The stored name of an announced file: as announced, or in another letter case."""
        if name in self.sizes:
            return name
        same = [stored for stored in self.sizes if stored.lower() == name.lower()]
        return same[0] if len(same) == 1 else None

    def gdal_path(self, name: str) -> str:
        """What GDAL opens for a stored name."""
        if self.archive:
            # braces say where the archive's name ends, unless it holds braces itself
            archive = str(self.path.absolute())
            archive = archive if set("{}") & set(archive) else f"{{{archive}}}"
            return f"/vsitar/{archive}/{self.members[name]}"
        return str(self.path.absolute() / self.members[name])


def list_files(path: Path) -> Store:
    """The files of a folder (not of its sub-folders) or of an archive."""
    if path.is_dir():
        return _list_folder(path)
    status = path.stat()
    return _list_archive(path, status.st_size, status.st_mtime_ns)


def metadata_file(store: Store) -> str:
    """The metadata file to use; errors where there is none, or more than one product."""
    named = {name: found for name in store.sizes if (found := metadata_of(name))}
    products = sorted({product for product, _ in named.values()})
    if not products:
        raise MetadataError(
            complain(
                store.path,
                "no metadata file (*_MTL.txt, .json or .xml)",
                "the one delivered with the bands",
                "put it beside the bands, or order the product again",
            )
        )
    if len(products) > 1:
        raise InputError(
            complain(
                store.path,
                f"several products: {', '.join(products)}",
                "one product",
                "put each product into a folder of its own",
            )
        )
    return min(named, key=lambda name: (format_rank(name), name))


def _list_folder(path: Path) -> Store:
    try:
        entries = sorted((e for e in os.scandir(path) if e.is_file()), key=lambda e: e.name)
        sizes = {entry.name: entry.stat().st_size for entry in entries}
        metadata = {name: _start(path / name) for name in sizes if metadata_of(name)}
    except OSError as error:
        raise InputError(
            complain(path, f"an unreadable folder ({error.strerror})", "a product", "check access")
        ) from error
    return _store(path, False, sizes, {name: name for name in sizes}, metadata)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_METADATA + 1)


@lru_cache(maxsize=32)
def _list_archive(path: Path, size: int, mtime_ns: int) -> Store:  # noqa: ARG001
    """One pass over the headers; `size` and `mtime_ns` only keep the cache honest."""
    sizes: dict[str, int] = {}
    members: dict[str, str] = {}
    metadata: dict[str, bytes] = {}
    with _damage_told(path):
        for member, content in _safe_members(path, size):
            name = PurePosixPath(member.name).name
            if name in sizes:
                raise _refused(path, f"two members named {name}", "each file once")
            sizes[name], members[name] = member.size, member.name
            if metadata_of(name):
                metadata[name] = content().read(MAX_METADATA + 1)
    return _store(path, True, sizes, members, metadata)


def _store(
    path: Path,
    archive: bool,
    sizes: dict[str, int],
    members: dict[str, str],
    metadata: dict[str, bytes],
) -> Store:
    return Store(
        path,
        archive,
        MappingProxyType(sizes),
        MappingProxyType(members),
        MappingProxyType(metadata),
    )


def _safe_members(
    path: Path, size: int
) -> Iterator[tuple[tarfile.TarInfo, Callable[[], IO[bytes]]]]:
    """Regular members with a way to their content, each checked before it is yielded."""
    total = 0
    with path.open("rb") as file:
        mode = "r|gz" if file.read(2) == b"\x1f\x8b" else "r:"
    with tarfile.open(path, mode, tarinfo=_Member) as tar:  # type: ignore[call-overload]
        for count, member in enumerate(tar, start=1):
            total += member.size
            _check_size(path, size, count, total)
            _check_member(path, member)
            if member.isreg():
                yield member, partial(_content, tar, member)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Whatever a damaged archive makes the libraries raise, as one ArchiveError."""
    try:
        yield
    except OutputError:
        raise
    except _BROKEN as error:
        raise ArchiveError(
            complain(path, f"a damaged archive ({error})", "a whole one", "download it again")
        ) from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    return content


def _check_size(path: Path, size: int, count: int, total: int) -> None:
    if count > MAX_MEMBERS:
        raise _refused(path, f"more than {MAX_MEMBERS} members", "about 25, a Landsat bundle")
    absurd = total > _RATIO_COUNTS_FROM and total > MAX_RATIO * size
    if total > MAX_BYTES or absurd:
        raise _refused(path, f"{size} bytes that unpack to {total}", "a Landsat bundle, 1 to 3 GB")


def _check_member(path: Path, member: tarfile.TarInfo) -> None:
    name = member.name
    posix = PurePosixPath(name)
    if posix.is_absolute() or ".." in posix.parts or "\\" in name or "\0" in name:
        raise _refused(path, f"a member that leads out of the folder: {name!r}", "plain names")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise _refused(path, f"a link, device or sparse member: {name!r}", "plain files")


def _refused(path: Path, found: str, expected: str) -> ArchiveError:
    return ArchiveError(complain(path, found, expected, "nothing was unpacked; order it again"))


def unpack(path: Path, folder: Path) -> Path:
    """The product's files of an archive as the new folder `folder`: all of them, or no folder.

    The product's files are those named after it and those that its metadata mentions. A folder
    that is there is taken for whole, since it can only come from here.
    """
    if folder.exists():
        return folder
    names = _own_files(list_files(path))
    with drafted_folder(folder) as draft, _damage_told(path):
        for member, content in _safe_members(path, path.stat().st_size):
            name = PurePosixPath(member.name).name
            if name in names:
                copy(content(), draft / name, member.size)
    return folder


def _own_files(store: Store) -> frozenset[str]:
    metadata = metadata_file(store)
    product, _ = metadata_of(metadata) or (metadata, "")
    content = store.metadata[metadata]
    return frozenset(
        name
        for name in store.sizes
        if name.lower().startswith(product.lower()) or name.encode() in content
    )
