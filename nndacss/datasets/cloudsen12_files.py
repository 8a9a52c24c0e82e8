"""The two published forms of CloudSEN12: arrays of all chips, and a folder of GeoTIFFs a chip."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets.files import sizes, sums
from nndacss.datasets.rasters import codes_of, read
from nndacss.errors import DatasetError, complain

#: Rows and columns of a chip in the arrays; the image is 509 x 509, zeros around it.
SIDE = 512
_L1C = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
#: Bands of `S2L1C.tif` and `S2L2A.tif`, in order; the latter goes on with other layers.
STACKS = {"L1C": _L1C, "L2A": tuple(band for band in _L1C if band != "B10")}
_SPLITS = {"0": "train", "1": "val", "2": "test"}


@dataclass(frozen=True)
class Chip:
    """One row of the metadata."""

    place: str
    """`roi_id`, e.g. `ROI_0001`: five dates of one place."""
    product: str
    """`s2_id_gee`."""
    level_1: str
    """`s2_id`, the Level-1C product that it was cut from."""
    sun: tuple[float, float] | None
    """Elevation and azimuth, degrees."""
    index: int
    """Row in the table."""

    @property
    def name(self) -> str:
        """As the authors name it."""
        return f"{self.place}__{self.product}"


class Form(Protocol):
    """One form of the archive."""

    def chips(self) -> dict[str, Chip]:
        """Name -> chip, sorted; no pixel is read."""
        ...

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of images, sums of labels; DatasetError where a file is missing or too short."""
        ...

    def load(self, chip: Chip) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """Counts (bands, rows, columns) and codes (rows, columns)."""
        ...


@dataclass(frozen=True)
class Arrays:
    """`<split>/metadata.csv`, `L1C_B2.dat` (chips, 512, 512) int16, `LABEL_manual_hq.dat` uint8."""

    folder: Path
    """That of the split."""
    level: str
    bands: tuple[str, ...]

    def chips(self) -> dict[str, Chip]:
        """Name -> chip, sorted."""
        rows = _table(self.folder / "metadata.csv")
        return _by_name(self.folder / "metadata.csv", enumerate(rows))

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of the bands, sums of the label and of the table."""
        count = len(_table(self.folder / "metadata.csv"))
        for path in self._images():
            _sized(path, count, 2)
        with self._label(count).open("rb") as file:  # up to 2 GB: not into memory
            label = hashlib.file_digest(file, "sha256").hexdigest()
        return {"images": sizes(self._images()), "label": label, "table": sums([self._csv()])}

    def load(self, chip: Chip) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """One chip, through memory maps."""
        count = len(_table(self._csv()))
        shape = (count, SIDE, SIDE)
        counts = [
            np.array(np.memmap(_sized(path, count, 2), "<i2", "r", shape=shape)[chip.index])
            for path in self._images()
        ]
        codes = np.memmap(self._label(count), np.uint8, "r", shape=shape)[chip.index]
        return np.stack(counts), np.array(codes)

    def _csv(self) -> Path:
        return self.folder / "metadata.csv"

    def _images(self) -> list[Path]:
        return [self.folder / f"{self.level}_{band}.dat" for band in self.bands]

    def _label(self, count: int) -> Path:
        return _sized(self.folder / "LABEL_manual_hq.dat", count, 1)


@dataclass(frozen=True)
class Tiffs:
    """`<roi_id>/<s2_id_gee>/S2L1C.tif` and `labels/manual_hq.tif`; one table for all splits."""

    table: Path
    """`cloudsen12_metadata.csv`."""
    splits: tuple[str, ...]
    level: str
    bands: tuple[str, ...]

    def chips(self) -> dict[str, Chip]:
        """Name -> chip, sorted: those of the splits with labels of high quality."""
        rows = [
            (index, row)
            for index, row in enumerate(_table(self.table))
            if row.get("label_type") == "high" and _SPLITS.get(row.get("test", "")) in self.splits
        ]
        return _by_name(self.table, rows)

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of the images and sums of the labels, by chip."""
        found = {name: self._files(chip) for name, chip in self.chips().items()}
        return {
            "images": {name: image.stat().st_size for name, (image, _) in found.items()},
            "labels": {name: sums([label]) for name, (_, label) in found.items()},
        }

    def load(self, chip: Chip) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """One chip."""
        image, label = self._files(chip)
        stack = STACKS[self.level]
        read_image = read(image, [stack.index(band) + 1 for band in self.bands])
        if not np.issubdtype(read_image.pixels.dtype, np.integer):
            found = f"pixels of {read_image.pixels.dtype}"
            raise DatasetError(complain(image, found, "whole counts", "get it again"))
        return read_image.pixels.astype(np.int16), codes_of(read(label), read_image)

    def _files(self, chip: Chip) -> tuple[Path, Path]:
        folder = self._chips_folder(chip)
        image, label = folder / f"S2{self.level}.tif", folder / "labels" / "manual_hq.tif"
        for path in (image, label):
            if not path.is_file():
                remedy = "get the chip again, or remove its row"
                raise DatasetError(complain(path, "no such file", "image and label", remedy))
        return image, label

    def _chips_folder(self, chip: Chip) -> Path:
        """Beside the table, or in the `high` beside it."""
        inside = Path(chip.place, chip.product)
        high = self.table.parent / "high" / inside
        return high if high.is_dir() else self.table.parent / inside


def _table(path: Path) -> list[dict[str, str]]:
    """The rows of the metadata; read again only where the file changed, since every chip asks."""
    try:
        status = path.stat()
        rows = _rows(path, status.st_size, status.st_mtime_ns)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            complain(path, str(error), "a table of chips", "get it again")
        ) from error
    lacking = [key for key in ("roi_id", "s2_id_gee", "s2_id") if not rows or key not in rows[0]]
    if lacking:
        found = f"no column {lacking[0]}" if rows else "no rows"
        raise DatasetError(complain(path, found, "the metadata of CloudSEN12", "get it again"))
    return rows


@lru_cache(maxsize=4)
def _rows(path: Path, size: int, mtime_ns: int) -> list[dict[str, str]]:  # noqa: ARG001
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _by_name(table: Path, rows: Any) -> dict[str, Chip]:
    chips: dict[str, Chip] = {}
    for index, row in rows:
        chip = Chip(row["roi_id"], row["s2_id_gee"], row["s2_id"], _sun(row), index)
        if chip.name in chips:
            raise DatasetError(complain(table, f"{chip.name} twice", "once", "get it again"))
        chips[chip.name] = chip
    if not chips:
        remedy = "choose other `splits`, or get the table again"
        raise DatasetError(complain(table, "no chip of these splits", "some", remedy))
    return dict(sorted(chips.items()))


def _sun(row: Mapping[str, str]) -> tuple[float, float] | None:
    """As the table calls it; the extended release gives the zenith angle."""
    try:
        if row.get("s2_view_sun_elevation"):
            return float(row["s2_view_sun_elevation"]), float(row["s2_view_sun_azimuth"])
        if row.get("s2_mean_solar_zenith_angle"):
            zenith = float(row["s2_mean_solar_zenith_angle"])
            return 90.0 - zenith, float(row["s2_mean_solar_azimuth_angle"])
    except (KeyError, ValueError):
        return None
    return None


def _sized(path: Path, count: int, width: int) -> Path:
    """The file, if it holds `count` chips of `width` bytes a pixel."""
    expected = count * SIDE * SIDE * width
    size = path.stat().st_size if path.is_file() else None
    if size != expected:
        found = "no such file" if size is None else f"{size} bytes"
        stated = f"{expected} bytes: {count} chips of {SIDE} x {SIDE}, as metadata.csv says"
        remedy = "run FetchDataset --kind cloudsen12 again"
        raise DatasetError(complain(path, found, stated, remedy))
    return path


def form_at(folder: Path, splits: Sequence[str], level: str, bands: tuple[str, ...]) -> list[Form]:
    """What lies in `folder`: one form a split, or the GeoTIFFs; DatasetError where neither."""
    table = folder / "cloudsen12_metadata.csv"
    if table.is_file():
        return [Tiffs(table, tuple(splits), level, bands)]
    found = [folder / split for split in splits if (folder / split / "metadata.csv").is_file()]
    if len(found) != len(splits):
        absent = next(split for split in splits if folder / split not in found)
        state = f"no {absent}/metadata.csv and no {table.name}"
        here = state if folder.is_dir() else f"no such folder (from {Path.cwd()})"
        remedy = "correct `folder`, or run FetchDataset --kind cloudsen12"
        raise DatasetError(complain(folder, here, "CloudSEN12 with labels of high quality", remedy))
    return [Arrays(path, level, bands) for path in found]
