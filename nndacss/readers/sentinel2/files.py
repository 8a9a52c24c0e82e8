"""The files of one SAFE product, in a folder or a zip: names, sizes, contents of small ones.

An archive is never trusted: every member is looked at before one byte is unpacked, and links,
encrypted members, names that lead out of the folder, duplicates and absurd sizes are errors.
Files are called by their path inside the product, with forward slashes.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from nndacss.errors import ArchiveError, InputError, MetadataError, OutputError, complain
from nndacss.readers.sentinel2.names import is_metadata, is_tile_metadata
from nndacss.readers.unpacked import copy, drafted_folder

#: A compact product holds about 120 files, 0.8 to 1.2 GB; one of 2015 up to 30 granules of 60.
MAX_MEMBERS = 10_000
MAX_BYTES = 60 * 2**30
MAX_RATIO = 200
_RATIO_COUNTS_FROM = 2**28
#: A granule's metadata hold 0.3 to 2 MB.
MAX_METADATA = 2**24
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
_GRANULES = "GRANULE"


@dataclass(frozen=True)
class Store:
    """What lies in one product, and which of its granules is meant."""

    path: Path
    """The product's own folder, or the zip."""
    archive: bool
    prefix: str
    """Where in the zip the product lies: empty, or a folder name with a slash."""
    sizes: Mapping[str, int]
    """Path inside the product -> bytes."""
    granule: str | None = None
    """The granule that was asked for, where it was."""

    def gdal_path(self, name: str) -> str:
        """What GDAL opens for a file."""
        if self.archive:
            # braces say where the archive's name ends, unless it holds braces itself
            archive = str(self.path.absolute())
            archive = archive if set("{}") & set(archive) else f"{{{archive}}}"
            return f"/vsizip/{archive}/{self.prefix}{name}"
        return str(self.path.absolute() / name)

    def read(self, name: str) -> bytes:
        """A small file's content; MetadataError where it is not small."""
        if self.sizes[name] > MAX_METADATA:
            found = f"{self.sizes[name]} bytes"
            raise MetadataError(complain(name, found, "a metadata file", "order it again"))
        if not self.archive:
            return (self.path / name).read_bytes()
        with _damage_told(self.path), zipfile.ZipFile(self.path) as archive:
            return archive.read(self.prefix + name)

    def under(self, *folders: str) -> Iterator[str]:
        """Files anywhere below a folder of the product, sorted."""
        start = "/".join((*folders, ""))
        return (name for name in self.sizes if name.startswith(start))

    @property
    def at_root(self) -> Iterator[str]:
        """Files at the product's root, sorted."""
        return (name for name in self.sizes if "/" not in name)


def list_files(path: Path) -> Store:
    """The product at `path`: a folder, a folder with one `.SAFE` in it, a granule, or a zip."""
    if path.is_dir():
        return _list_folder(path)
    status = path.stat()
    return _list_archive(path, status.st_size, status.st_mtime_ns)


def holds_product(path: Path) -> bool:
    """Whether a folder or zip has a product's metadata file; errors where it is unreadable."""
    if path.is_dir():
        return _holds_metadata(_root_of(path)[0])
    return any(is_metadata(name) for name in list_files(path).at_root)


def metadata_file(store: Store) -> str:
    """The product's metadata file."""
    found = [name for name in store.at_root if is_metadata(name)]
    if len(found) != 1:
        what = "no metadata file" if not found else " and ".join(found)
        expected = "one MTD_MSIL1C.xml or MTD_MSIL2A.xml"
        raise MetadataError(complain(store.path, what, expected, "order the product again"))
    return found[0]


def granule(store: Store) -> tuple[str, str]:
    """The granule's folder name and its metadata file; errors where there is none, or several."""
    found = {}
    for name in store.under(_GRANULES):
        folders = PurePosixPath(name).parts
        if len(folders) == 3 and is_tile_metadata(folders[2]):
            found[folders[1]] = name
    if store.granule is not None:
        found = {name: file for name, file in found.items() if name == store.granule}
    if not found:
        what = f"no granule with its metadata in {store.granule or 'GRANULE'}"
        expected = "GRANULE/<folder>/MTD_TL.xml"
        raise MetadataError(complain(store.path, what, expected, "order the product again"))
    if len(found) > 1:
        what = f"{len(found)} granules ({', '.join(sorted(found)[:3])}, ...)"
        remedy = "unpack it and give one of its folders in GRANULE as the scene"
        raise InputError(complain(store.path, what, "one granule", remedy))
    return next(iter(found.items()))


def _list_folder(path: Path) -> Store:
    root, chosen = _root_of(path)
    try:
        sizes = {
            str(PurePosixPath(file.relative_to(root))): file.stat().st_size
            for file in sorted(_walk(root))
        }
    except OSError as error:
        found = f"an unreadable folder ({error.strerror})"
        raise InputError(complain(path, found, "a product", "check access")) from error
    return Store(root, False, "", MappingProxyType(sizes), chosen)


def _root_of(path: Path) -> tuple[Path, str | None]:
    """The product's folder for a path that may be around or inside it, and the granule meant."""
    absolute = path.absolute()
    if absolute.parent.name == _GRANULES and _holds_metadata(absolute.parent.parent):
        return absolute.parent.parent, absolute.name
    if not _holds_metadata(path):
        inside = [child for child in sorted(path.glob("*.SAFE")) if child.is_dir()]
        if len(inside) == 1:
            return inside[0], None
    return path, None


def _holds_metadata(folder: Path) -> bool:
    return any(is_metadata(name) for name in os.listdir(folder))


def _walk(root: Path) -> Iterator[Path]:
    """Files at the root and below GRANULE; the rest of a product is never read."""
    yield from (entry for entry in root.iterdir() if entry.is_file())
    for folder, _, names in os.walk(root / _GRANULES, followlinks=True):
        yield from (Path(folder, name) for name in names)


@lru_cache(maxsize=32)
def _list_archive(path: Path, size: int, mtime_ns: int) -> Store:  # noqa: ARG001
    """The central directory, checked; `size` and `mtime_ns` only keep the cache honest."""
    with _damage_told(path), zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _check(path, size, members)
    names = [member.filename for member in members]
    roots = sorted(
        {
            name[: -len(PurePosixPath(name).name)]
            for name in names
            if is_metadata(PurePosixPath(name).name) and name.count("/") <= 1
        }
    )
    if len(roots) > 1:
        found = f"several products: {', '.join(roots)}"
        raise InputError(complain(path, found, "one product", "unpack it and give one of them"))
    prefix = roots[0] if roots else ""
    sizes = {
        member.filename.removeprefix(prefix): member.file_size
        for member in sorted(members, key=lambda member: member.filename)
        if member.filename.startswith(prefix)
    }
    return Store(path, True, prefix, MappingProxyType(sizes))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Whatever a damaged archive makes the libraries raise, as one ArchiveError."""
    try:
        yield
    except (ArchiveError, OutputError):
        raise
    except _BROKEN as error:
        found = f"a damaged archive ({error})"
        raise ArchiveError(complain(path, found, "a whole zip", "download it again")) from error


def _check(path: Path, size: int, members: list[zipfile.ZipInfo]) -> None:
    """Raises ArchiveError where a member must not be unpacked."""
    if len(members) > MAX_MEMBERS:
        raise _refused(path, f"{len(members)} members", "about 120, a Sentinel-2 product")
    total = sum(member.file_size for member in members)
    absurd = total > _RATIO_COUNTS_FROM and total > MAX_RATIO * size
    if total > MAX_BYTES or absurd:
        raise _refused(path, f"{size} bytes that unpack to {total}", "a product of about 1 GB")
    seen = set()
    for member in members:
        name = member.filename
        posix = PurePosixPath(name)
        # orig_filename, since zipfile cuts names at a NUL and turns other separators into slashes
        odd = "\\" in member.orig_filename or "\0" in member.orig_filename
        if posix.is_absolute() or ".." in posix.parts or odd:
            shown = repr(member.orig_filename)
            raise _refused(path, f"a member that leads out of the folder: {shown}", "plain names")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
            raise _refused(path, f"a link, device or encrypted member: {name!r}", "plain files")
        if str(posix) in seen:
            raise _refused(path, f"two members named {name}", "each file once")
        seen.add(str(posix))


def _refused(path: Path, found: str, expected: str) -> ArchiveError:
    return ArchiveError(complain(path, found, expected, "nothing was unpacked; order it again"))


def unpack(store: Store, names: Iterable[str], folder: Path) -> Path:
    """Files of a zip as the new folder `folder`: all of them, or no folder.

    They keep their places inside the product. A folder that is there is taken for whole, since it
    can only come from here.
    """
    if folder.exists():
        return folder
    path = store.path
    with drafted_folder(folder) as draft, _damage_told(path), zipfile.ZipFile(path) as archive:
        for name in names:
            with archive.open(store.prefix + name) as content:
                copy(content, draft / name, store.sizes[name])
    return folder
