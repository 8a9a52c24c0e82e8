"""Lists of scenes: a folder that holds products, or a list that was written.

A written list is `scenes.json`, a list of `{"id", "source", "path" or "item", "l1"}` where
`source` is `folder` (a product on this machine) or `stac` (an item to fetch), or a text file with
a path a line. Nothing is opened but the list.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nndacss.errors import InputError, complain
from nndacss.plugins import load, names
from nndacss.readers.landsat.names import ProductName, is_archive, parts, product_in

Source = Literal["folder", "stac"]
#: Names of Sentinel-2 products: one that no reader recognises is listed, to be told as damaged.
_SAFE = (".safe", ".safe.zip")


@dataclass(frozen=True)
class Listed:
    """One scene of a list."""

    id: str
    """The product's name, as far as its file name or item tells it."""
    source: Source = "folder"
    path: str = ""
    """Where the product lies, of source `folder`."""
    l1: str | Mapping[str, Any] | None = None
    """Its Level-1 twin: a path, or an item where the scene is one; None: to be looked for."""
    item: Mapping[str, Any] = field(default_factory=dict)
    """STAC item, of source `stac`."""

    def as_json(self) -> dict[str, Any]:
        """As `scenes.json` holds it."""
        return {key: value for key, value in asdict(self).items() if value}


def list_scenes(place: Path) -> list[Listed]:
    """The scenes of a folder, of a `scenes.json`, or of a text file with a path a line.

    Sorted by name, each once. InputError where there is none, or the list is no list.
    """
    if place.is_dir():
        found = _in_folder(place)
    elif place.suffix.lower() == ".json":
        found = _from_json(place)
    else:
        found = _from_text(place)
    unique = {(scene.id, scene.path): scene for scene in found}
    return sorted(unique.values(), key=lambda scene: (scene.id, scene.path))


def _in_folder(folder: Path) -> list[Listed]:
    """Products directly below a folder; where there are none, the folder may be one itself."""
    readers = [load("readers", name) for name in names("readers")]

    def recognised(place: Path) -> bool:
        return any(reader.recognises(place) for reader in readers)

    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    scenes = [entry for entry in entries if _called_a_scene(entry) or recognised(entry)]
    if not scenes and recognised(folder):
        return [_listed(folder)]
    if not scenes:
        found = f"{len(entries)} entries, none of them a product" if entries else "nothing"
        expected = "folders or archives of Landsat or Sentinel-2 products"
        raise InputError(complain(folder, found, expected, "check the path given as --scenes"))
    return _with_twins(scenes)


def _called_a_scene(entry: Path) -> bool:
    """Whether the name is that of a product: a damaged one is to be told, not passed over."""
    name = entry.name.lower()
    if name.endswith(_SAFE):
        return True
    return product_in(entry.name) is not None and (entry.is_dir() or is_archive(entry))


def _with_twins(scenes: Iterable[Path]) -> list[Listed]:
    """Level-1 products of a Level-2 one are its twins, and no scenes of their own.

    Two processings of one Level-2 acquisition stay two scenes.
    """
    first: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
    seconds: list[tuple[Path, ProductName]] = []
    others: list[Path] = []
    for path in scenes:
        name = parts(path.name)
        if name is None:
            others.append(path)
        elif name.level.startswith("L1"):
            first[_acquisition(name)].append(path)
        else:
            seconds.append((path, name))
    found = [_listed(path) for path in others]
    for path, name in seconds:
        twins = first.get(_acquisition(name), [])
        # among several the reader's own preference decides, when the scene is planned
        found.append(_listed(path, twins[0] if len(twins) == 1 else None))
    taken = {_acquisition(name) for _, name in seconds}
    found += [_listed(path) for key, paths in first.items() if key not in taken for path in paths]
    return found


def _acquisition(name: ProductName) -> tuple[str, str, str]:
    return name.sensor, name.place, name.acquired


def _listed(path: Path, l1: Path | None = None) -> Listed:
    name = product_in(path.name) or path.name
    return Listed(name, "folder", str(path.absolute()), str(l1.absolute()) if l1 else None)


def _from_text(place: Path) -> list[Listed]:
    """A path a line, `#` begins a comment; relative ones begin at the list's folder."""
    lines = [line.split("#")[0].strip() for line in _read(place).splitlines()]
    paths = [place.absolute().parent / line for line in lines if line]
    if not paths:
        remedy = "write the scenes into it, or give their folder"
        raise InputError(complain(place, "no line", "a path a line", remedy))
    return [_listed(path) for path in paths]


def _from_json(place: Path) -> list[Listed]:
    try:
        values = json.loads(_read(place))
        return [_entry(value) for value in values]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        expected = 'a list of {"id", "source", "path" or "item", "l1"}'
        raise InputError(complain(place, found, expected, "write the list again")) from error


def _entry(value: Mapping[str, Any]) -> Listed:
    source = value.get("source", "folder")
    if source == "folder":
        return Listed(value["id"], "folder", str(Path(value["path"]).absolute()), value.get("l1"))
    if source == "stac":
        return Listed(value["id"], "stac", "", value.get("l1"), dict(value["item"]))
    raise ValueError(f"source {source!r} of {value['id']} is neither folder nor stac")


def _read(place: Path) -> str:
    try:
        return place.read_text()
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or str(error)
        expected = "a folder of scenes, a scenes.json, or a text file with a path a line"
        remedy = "check the path given as --scenes"
        raise InputError(complain(place, found, expected, remedy)) from error


def write_scenes(scenes: Iterable[Listed], path: Path) -> None:
    """A list as `scenes.json`."""
    path.write_text(json.dumps([scene.as_json() for scene in scenes], indent=1, sort_keys=True))
