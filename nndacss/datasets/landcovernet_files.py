"""LandCoverNet's files: how they are called, and which of them a folder holds.

Two layouts are known, and may lie side by side below one folder:

STAC archive (today's):
    ref_landcovernet_<cc>_v1_labels/ref_landcovernet_<cc>_v1_labels_<tile>_<nn>/labels.tif
    ref_landcovernet_<cc>_v1_source_sentinel_2/ref_..._sentinel_2_<tile>_<nn>_<yyyymmdd>/B02.tif
old bucket (2020):
    <tile>/<nn>/<tile>_<nn>_2018_LC_10m.tif
    <tile>/<nn>/<tile>_<nn>_<yyyymmdd>/<tile>_<nn>_<yyyymmdd>_B02_10m.tif

`cc` is the continent, `tile` the MGRS tile, `nn` the chip's number in it. Only the last two folders
of a path count, so it does not matter what lies above them.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nndacss.errors import DatasetError, complain
from nndacss.landcovernet.names import BANDS

#: The archive's folders of the other sensors; nothing here reads them.
_OTHERS = ("_source_sentinel_1", "_source_landsat_8")
_CHIP = r"(?P<chip>\d{2}[A-Z]{3}_\d{2})"
_LABELS = re.compile(rf"ref_landcovernet_[a-z]{{2}}_v\d_labels_{_CHIP}")
_IMAGE = re.compile(rf"ref_landcovernet_[a-z]{{2}}_v\d_source_sentinel_2_{_CHIP}_(?P<date>\d{{8}})")
_OLD_LABEL = re.compile(rf"{_CHIP}_\d{{4}}_LC_10m\.tif")
_OLD_IMAGE = re.compile(rf"{_CHIP}_(?P<date>\d{{8}})_(?P<band>[A-Z0-9]+)_10m\.tif")


@dataclass(frozen=True)
class Image:
    """One date of one chip."""

    chip: str
    """`<tile>_<nn>`."""
    date: str
    """yyyymmdd."""
    files: Mapping[str, Path]
    """Band or layer, e.g. `B02` or `SCL` -> its file."""

    @property
    def name(self) -> str:
        """`<tile>_<nn>_<yyyymmdd>`."""
        return f"{self.chip}_{self.date}"

    @property
    def has_bands(self) -> bool:
        """Whether any spectral band is there; of many dates only the cloud layer is fetched."""
        return not BANDS.keys().isdisjoint(self.files)

    def file(self, band: str) -> Path:
        """The file of a band; DatasetError where it is missing."""
        if band in self.files:
            return self.files[band]
        found = f"no {band} (there are {', '.join(sorted(self.files)) or 'none'})"
        remedy = "fetch it, reject the chip by cleaning, or leave the band out of `bands`"
        raise DatasetError(complain(self.name, found, f"{band}.tif", remedy))


@dataclass(frozen=True)
class Archive:
    """What a folder holds."""

    labels: Mapping[str, Path]
    """Chip `<tile>_<nn>` -> its label raster."""
    images: Mapping[str, Image]
    """`<tile>_<nn>_<yyyymmdd>` -> that date, also where only a part of it is there."""


def scan(folder: Path) -> Archive:
    """All labels and images below a folder, in either layout; nothing in hidden folders.

    DatasetError where there is none.
    """
    labels: dict[str, Path] = {}
    files: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and not name.endswith(_OTHERS)]
        base = Path(place)
        names = [name for name in names if name[0] != "."]  # downloads that are not finished
        if (label := _LABELS.fullmatch(base.name)) and "labels.tif" in names:
            labels[label["chip"]] = base / "labels.tif"
        elif image := _IMAGE.fullmatch(base.name):
            bands = {name[:-4]: base / name for name in names if name.endswith(".tif")}
            files[image["chip"], image["date"]].update(bands)
        else:
            _scan_old(base, names, labels, files)
    if not labels and not files:
        found = "no such folder" if not folder.is_dir() else "no labels and no images"
        remedy = "correct `folder`, or fetch the archive with AcquireLandCoverNet"
        raise DatasetError(complain(folder, found, "LandCoverNet's files", remedy))
    images = [Image(chip, date, dict(sorted(own.items()))) for (chip, date), own in files.items()]
    return Archive(
        dict(sorted(labels.items())),
        {image.name: image for image in sorted(images, key=lambda one: one.name)},
    )


def _scan_old(
    base: Path,
    names: list[str],
    labels: dict[str, Path],
    files: dict[tuple[str, str], dict[str, Path]],
) -> None:
    """The same from files of the old bucket, which are known by their names."""
    for name in names:
        if label := _OLD_LABEL.fullmatch(name):
            labels[label["chip"]] = base / name
        elif image := _OLD_IMAGE.fullmatch(name):
            files[image["chip"], image["date"]][image["band"]] = base / name
