"""Where the files of 38-Cloud and 95-Cloud lie: one listing a folder, no file is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nndacss.datasets.archives import found_in
from nndacss.errors import DatasetError, complain

BANDS = ("blue", "green", "red", "nir")
_NAME = re.compile(r"patch_\d+_(\d+)_by_(\d+)_(L\w+)")
_WHOLE = "Entire_scene_gts"


@dataclass(frozen=True)
class Place:
    """Where a patch lies; rows and columns of patches count from 1."""

    scene: str
    row: int
    column: int


@dataclass(frozen=True)
class Patch:
    """The files of one patch."""

    place: Place
    bands: tuple[Path, ...]
    """In the order of `BANDS`."""
    label: Path
    """Its own label, or that of its whole scene."""
    whole: tuple[int, int] | None = None
    """Rows and columns of patches in the scene, where `label` is the whole scene's."""


def place_of(name: str) -> Place:
    """What a patch's name says; DatasetError where it is not one.

    >>> place_of("patch_192_10_by_12_LC08_L1TP_002053_20160520_20170324_01_T1")
    Place(scene='LC08_L1TP_002053_20160520_20170324_01_T1', row=10, column=12)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        expected = "patch_<n>_<r>_by_<c>_<scene>"
        raise DatasetError(complain(name, "another name", expected, "keep the archive's names"))
    return Place(match[3], int(match[1]), int(match[2]))


def patches(folder: Path, parts: Sequence[str]) -> dict[str, Patch]:
    """Name -> files, sorted by name; a patch that several folders hold counts once.

    DatasetError where a band or a label is missing, or there is no patch at all.
    """
    found: dict[str, Patch] = {}
    for part in parts:
        folders = [path for path in found_in(folder, f"{part}_red*") if path.is_dir()]
        if not folders:
            here = f"no {part}_red" if folder.is_dir() else f"no such folder (from {Path.cwd()})"
            remedy = "correct `folder`, or run FetchDataset --kind cloud38"
            raise DatasetError(complain(folder, here, "patches of 38-Cloud or 95-Cloud", remedy))
        for red in folders:
            found = {**_in_folder(red, part), **found}
    if not found:
        remedy = "unpack the archive again"
        raise DatasetError(complain(folder, "no red_patch_*.TIF", "patches as published", remedy))
    return dict(sorted(found.items()))


@cache
def patches_once(folder: Path, parts: tuple[str, ...]) -> dict[str, Patch]:
    """`patches`, listed once a process: 95-Cloud has 175,000 files, and each patch asks."""
    return patches(folder, parts)


def _in_folder(red: Path, part: str) -> dict[str, Patch]:
    """The patches of one published folder."""
    suffix = red.name.removeprefix(f"{part}_red")
    folders = {band: red.with_name(f"{part}_{band}{suffix}") for band in BANDS}
    listed = {band: _listed(path) for band, path in folders.items()}
    names = [file[4:-4] for file in sorted(listed["red"]) if file.startswith("red_patch_")]
    places = {name: place_of(name) for name in names}
    labels = _Labels(red.with_name(f"{part}_gt{suffix}"), red.with_name(_WHOLE), places)
    result = {}
    for name, place in places.items():
        files = [(folders[band], f"{band}_{name}.TIF") for band in BANDS]
        for band, (path, file) in zip(BANDS, files, strict=True):
            if file not in listed[band]:
                raise DatasetError(complain(path, f"no {file}", "all bands", "get it again"))
        bands = tuple(path / file for path, file in files)
        result[name] = Patch(place, bands, *labels.find(name, place))
    return result


class _Labels:
    """Labels of the patches of one folder: their own, or those of whole scenes."""

    def __init__(self, own: Path, whole: Path, places: dict[str, Place]) -> None:
        self._own, self._whole = own, whole
        self._patches, self._scenes = _listed(own), _listed(whole)
        self._counts: dict[str, tuple[int, int]] = {}
        for place in places.values():
            rows, columns = self._counts.get(place.scene, (0, 0))
            self._counts[place.scene] = max(rows, place.row), max(columns, place.column)

    def find(self, name: str, place: Place) -> tuple[Path, tuple[int, int] | None]:
        """The label file, and how many patches its scene has where it is the scene's."""
        file, entire = f"gt_{name}.TIF", f"edited_corrected_gts_{place.scene}.TIF"
        if file in self._patches:
            return self._own / file, None
        if entire in self._scenes:
            return self._whole / entire, self._counts[place.scene]
        expected = f"{self._own.name}/{file} or {_WHOLE}/{entire}"
        raise DatasetError(
            complain(self._own.parent, f"no label of {name}", expected, "get it again")
        )


def _listed(folder: Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()
