"""What archives of files share: where they lie and what identifies their content."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from nndacss.errors import DatasetError, complain


def folder_of(folder: Path, pattern: str, what: str) -> Path:
    """`folder`, if it holds files of that pattern; DatasetError says what was expected there.

    A relative folder is relative to the current directory.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else f"no such folder (from {Path.cwd()})"
        remedy = "correct `folder` of the dataset in the config"
        raise DatasetError(complain(folder, found, f"{what}, {pattern}", remedy))
    if next(folder.glob(pattern), None) is None:
        remedy = "correct `folder` of the dataset in the config"
        raise DatasetError(complain(folder, f"no {pattern}", what, remedy))
    return folder


def sizes(files: Iterable[Path]) -> dict[str, int]:
    """File name -> bytes, sorted by name: for images, which are large and never edited."""
    return {file.name: file.stat().st_size for file in sorted(files)}


def sums(files: Iterable[Path]) -> dict[str, str]:
    """File name -> sha256: for labels, which people edit without changing their size."""
    return {file.name: _sum(file) for file in sorted(files)}


def zip_sums(files: Iterable[Path]) -> dict[str, dict[str, int]]:
    """File name -> member -> CRC-32, for `.npz` and other zips: content without reading it."""
    return {file.name: _members(file) for file in sorted(files)}


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _members(file: Path) -> dict[str, int]:
    try:
        with zipfile.ZipFile(file) as archive:
            return {member.filename: member.CRC for member in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(complain(file, str(error), "a whole archive", "get it again")) from error
