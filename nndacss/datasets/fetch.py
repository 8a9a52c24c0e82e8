"""Archives of labels from their publishers: downloaded, verified, unpacked whole or not at all.

    part = archives("sparcs")[0]
    fetch(part, Path("data/sparcs"), confirmed="...")

A download that breaks off goes on where it stopped. What a publisher states (size, sha256) is
checked. Where no sum is stated, the sum that was found must be confirmed, or trust be stated.
"""

from __future__ import annotations

import importlib
import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from stat import S_IFMT, S_ISDIR, S_ISREG
from typing import IO

from nndacss.datasets.archives import Archive
from nndacss.download import Progress, checksum, download
from nndacss.errors import ArchiveError, DatasetError, SettingsError, complain
from nndacss.identity import drafted
from nndacss.plugins import names
from nndacss.readers.unpacked import copy, drafted_folder

#: What was fetched, one small file a part; downloads that are not finished.
_DONE, _UNFINISHED = ".fetched", ".fetching"
#: The largest archive here (95-Cloud) holds 175,000 files; images unpack to a few times their size.
_MAX_MEMBERS, _MAX_RATIO, _RATIO_COUNTS_FROM = 1_000_000, 200, 2**28
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError, RuntimeError)


def archives(kind: str, only: tuple[str, ...] = ()) -> tuple[Archive, ...]:
    """The parts of a dataset, or those named; SettingsError lists what there is."""
    tables = {
        name: getattr(importlib.import_module(f"nndacss.datasets.{name}"), "ARCHIVES", ())
        for name in names("datasets")
    }
    if not tables.get(kind):
        known = ", ".join(name for name, table in tables.items() if table)
        raise SettingsError(f"--kind {kind}: nothing to fetch; choose one of: {known}")
    table: tuple[Archive, ...] = tables[kind]
    by_name = {archive.name: archive for archive in table}
    unknown = [name for name in only if name not in by_name]
    if unknown:
        raise SettingsError(f"--part {unknown[0]} is not known; choose from: {', '.join(by_name)}")
    if only:
        return tuple(by_name[name] for name in only)
    return tuple(archive for archive in table if archive.wanted)


def done_file(archive: Archive, folder: Path) -> Path:
    """The file that says that a part is there; written last."""
    return folder / _DONE / f"{archive.name.replace('/', '_')}.json"


def fetch(
    archive: Archive,
    folder: Path,
    address: str = "",
    confirmed: str = "",
    unverified: bool = False,
    progress: Progress | None = None,
) -> Path:
    """One part into `folder`; returns where it lies. What is there already is left alone.

    `address` replaces the publisher's, for a mirror. `confirmed` is the sha256 that it must have;
    without it, and where the publisher states none, `unverified` says to take what comes.
    InputError where the sum or size is another or the server has no such file, DatasetError where
    no sum is known, ArchiveError where it is no archive or a member must not be unpacked.
    """
    place = folder / archive.place
    if done_file(archive, folder).exists() and place.exists():
        return place
    expected = confirmed.lower() or archive.sha256
    file = folder / _UNFINISHED / archive.name
    source = address or archive.address
    file.parent.mkdir(parents=True, exist_ok=True)
    download(source, file, sha256=expected, size=archive.size, progress=progress)
    found = checksum(file)
    if expected is None and not unverified:
        raise _unconfirmed(archive, file, found)
    if archive.form == "file":
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, place)
    else:
        unpack(file, place)
    with drafted(done_file(archive, folder)) as draft:
        facts = {"address": source, "sha256": found, "verified": expected is not None}
        draft.write_text(json.dumps(facts, indent=2))
    file.unlink(missing_ok=True)
    return place


def unpack(file: Path, folder: Path) -> Path:
    """A zip or tar as the new folder `folder`, all of it or no folder.

    A folder that is there is taken for whole, since it can only come from here. ArchiveError where
    it is damaged, or a member leads out of the folder, is a link or device, or unpacks absurdly.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with drafted_folder(folder) as draft, _damage_told(file):
        total = 0
        for count, (name, size, content) in enumerate(_members(file), start=1):
            total += size
            _check(file, name, count, total)
            copy(content(), draft / name, size)
    return folder


def _unconfirmed(archive: Archive, file: Path, found: str) -> DatasetError:
    expected = "a sum to compare with: its publisher states none"
    remedy = (
        f"it is kept in {file}; compare with a copy that you trust and run again with "
        f"--sha256 {archive.name}={found}, or with --unverified to take what came"
    )
    return DatasetError(complain(archive.name, f"sha256 {found}", expected, remedy))


_Member = tuple[str, int, Callable[[], IO[bytes]]]


def _members(file: Path) -> Iterator[_Member]:
    """Name, size and content of the regular members."""
    if zipfile.is_zipfile(file):
        yield from _zip_members(file)
    elif tarfile.is_tarfile(file):
        yield from _tar_members(file)
    else:
        with file.open("rb") as content:
            start = content.read(40)
        remedy = f"remove {file} and check the address: a page, perhaps, that asks to log in"
        raise ArchiveError(complain(file, f"{start!r}...", "a zip or tar archive", remedy))


def _zip_members(file: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16
            if member.is_dir() or S_ISDIR(mode):
                continue
            # a zip that was not made on Unix states no kind of file
            if S_IFMT(mode) and not S_ISREG(mode):
                raise _refused(file, f"a link or device: {member.filename!r}", "plain files")
            yield member.filename, member.file_size, partial(archive.open, member)


def _tar_members(file: Path) -> Iterator[_Member]:
    with tarfile.open(file, "r:*") as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                raise _refused(file, f"a link or device: {member.name!r}", "plain files")
            yield member.name, member.size, partial(_content, archive, member)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    return content


def _check(file: Path, name: str, count: int, total: int) -> None:
    posix = PurePosixPath(name)
    if posix.is_absolute() or ".." in posix.parts or "\\" in name or "\0" in name:
        raise _refused(file, f"a member that leads out of the folder: {name!r}", "plain names")
    size = file.stat().st_size
    absurd = total > _RATIO_COUNTS_FROM and total > _MAX_RATIO * size
    if absurd or count > _MAX_MEMBERS:
        found = f"{size} bytes that unpack to {total} in {count} files"
        raise _refused(file, found, "an archive of images")


def _refused(file: Path, found: str, expected: str) -> ArchiveError:
    remedy = f"nothing was unpacked; remove {file} and check the address"
    return ArchiveError(complain(file, found, expected, remedy))


@contextmanager
def _damage_told(file: Path) -> Iterator[None]:
    """Whatever a damaged archive makes the libraries raise, as one ArchiveError."""
    try:
        yield
    except ArchiveError:
        raise
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the archive's
        remedy = f"remove {file} and run again"
        raise ArchiveError(
            complain(file, f"a damaged archive ({error})", "a whole one", remedy)
        ) from error
