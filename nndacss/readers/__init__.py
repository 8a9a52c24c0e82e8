"""Products on disk, as lazily windowed scenes. See `nndacss.readers.scene` for the contract.

A path is shown to every reader in this folder; the one that recognises it opens it.
"""

from __future__ import annotations

from pathlib import Path

from nndacss.errors import InputError, complain
from nndacss.plugins import load, names
from nndacss.readers.scene import Level, QualityFlags, Reader, Scene, SceneIdentity

__all__ = [
    "Level",
    "QualityFlags",
    "Reader",
    "Scene",
    "SceneIdentity",
    "find_l1",
    "identify",
    "open_scene",
    "unpack",
]


def identify(path: str | Path) -> SceneIdentity:
    """Which product lies at `path`: a folder or an archive. No raster is opened."""
    return _reader(Path(path)).identify(Path(path))


def open_scene(path: str | Path, l1: str | Path | None = None) -> Scene:
    """The product at `path`; `l1` is the Level-1 product of the same acquisition.

    Raises InputError where there is no product, and warns (LossWarning) of each missing part.
    """
    return _reader(Path(path)).open(Path(path), Path(l1) if l1 is not None else None)


def find_l1(path: str | Path) -> Path | None:
    """The Level-1 product of the same acquisition beside a Level-2 one, by name."""
    return _reader(Path(path)).find_l1(Path(path))


def unpack(path: str | Path, folder: str | Path) -> Path:
    """The files of the product in an archive as the new folder `folder`: all, or no folder."""
    return _reader(Path(path)).unpack(Path(path), Path(folder))


def _reader(path: Path) -> Reader:
    """The reader that recognises `path`; InputError with what lies there instead."""
    readers: list[Reader] = [load("readers", name) for name in names("readers")]
    for reader in readers:
        if reader.recognises(path):
            return reader
    expected = " or ".join(reader.expects for reader in readers)
    raise InputError(complain(path, _what_is_at(path), expected, "check the path"))


def _what_is_at(path: Path) -> str:
    try:
        if path.is_dir():
            inside = sorted(entry.name for entry in path.iterdir())
            shown = ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")
            return f"a folder with {shown}" if inside else "an empty folder"
        if path.is_file():
            return f"a file of {path.stat().st_size} bytes that no reader knows"
    except OSError as error:
        return f"something unreadable ({error.strerror})"
    return "nothing"
