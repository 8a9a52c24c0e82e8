"""One chip of LandCoverNet: its label, and of each quarter the first clear dates.

Dates are looked at in order: the cloud layer is fetched, and where cloud and missing pixels are few
enough, the bands. So a clear quarter costs one cloud layer, a cloudy one a few. What was done is a
record: files with size and checksum, dates with what was found and decided.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nndacss.datasets.landcovernet_files import Image
from nndacss.datasets.landcovernet_read import clouded, read_label
from nndacss.datasets.rasters import Read, read
from nndacss.download import checksum, download
from nndacss.errors import DatasetError, InputError, complain
from nndacss.identity import drafted
from nndacss.landcovernet.names import CLD, SCL, images_collection, labels_collection, quarter
from nndacss.landcovernet.remote import Remote, Store
from nndacss.landcovernet.settings import LandCoverNetSettings
from nndacss.web import shown

#: Verdict on a date that was taken.
CHOSEN = "chosen"
#: Times that a file is fetched which arrives damaged.
_TRIES = 2
_LACKS = "the archive lacks it, nothing can be done here"


@dataclass(frozen=True)
class Looked:
    """A date that was looked at."""

    date: str
    quarter: int
    cloud: float
    """Mean cloud cover of what is there, 0..1; -1 where it could not be known."""
    missing: float
    """Share of missing pixels, 0..1; -1 where it could not be known."""
    verdict: str
    """`chosen`, or why not."""


@dataclass(frozen=True)
class Stored:
    """A file that is here."""

    path: str
    """Below the folder of the archive."""
    size: int
    sha256: str
    url: str
    """Where it came from, without signature."""


@dataclass
class Record:
    """What was done for a chip."""

    continent: str
    chip: str
    skipped: str = ""
    """Why the chip could not be had; empty where it could."""
    dates: list[Looked] = field(default_factory=list)
    files: list[Stored] = field(default_factory=list)

    def empty_quarters(self) -> list[int]:
        """Quarters without a clear date."""
        full = {one.quarter for one in self.dates if one.verdict == CHOSEN}
        return [] if self.skipped else [number for number in range(1, 5) if number not in full]

    def is_here(self, folder: Path) -> bool:
        """Whether all its files are still there, by size."""
        try:
            return all((folder / one.path).stat().st_size == one.size for one in self.files)
        except OSError:
            return False

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        with drafted(path) as draft:
            draft.write_text(json.dumps(asdict(self), indent=1))


def load_record(path: Path) -> Record | None:
    """What `save` wrote; None where there is none."""
    try:
        facts = json.loads(path.read_text())
        looked = [Looked(**one) for one in facts.pop("dates")]
        stored = [Stored(**one) for one in facts.pop("files")]
        return Record(**facts, dates=looked, files=stored)
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Chip:
    """One chip on its way."""

    def __init__(
        self, store: Store, settings: LandCoverNetSettings, continent: str, chip: str
    ) -> None:
        self._store, self._settings = store, settings
        self._record = Record(continent, chip)
        self._folder = Path(settings.folder)
        self._base = Path(f"ref_landcovernet_{continent}_v1")

    def fetch(self) -> Record:
        """All that is wanted of it.

        What the archive lacks is in the record, and no error. StageError where the server does not
        answer, OutputError where the disk refuses.
        """
        record, settings = self._record, self._settings
        try:
            label = self._label()
            wanted = (*settings.bands, SCL, CLD)
            dates = self._store.images(record.continent, record.chip, wanted)
        except InputError as error:
            record.skipped = str(error)
            return record
        for number in range(1, 5):
            own = [day for day in sorted(dates) if quarter(day) == number]
            self._quarter(number, {day: dates[day] for day in own}, label)
        return record

    def _label(self) -> Read:
        """The label, which says what grid the images must have."""
        continent, chip = self._record.continent, self._record.chip
        files = self._store.label(continent, chip)
        if "labels.tif" not in files:
            raise DatasetError(complain(chip, "no labels.tif", "a label", _LACKS))
        collection = labels_collection(continent)
        place = self._base / collection / f"{collection}_{chip}"
        if "stac.json" in files:
            self._bring(files["stac.json"], place / "stac.json")
        return read_label(self._bring(files["labels.tif"], place / "labels.tif"))[0]

    def _quarter(self, number: int, dates: Mapping[str, Mapping[str, Remote]], label: Read) -> None:
        """The first clear dates of a quarter."""
        left = self._settings.dates
        for day, files in dates.items():
            if left == 0:
                return
            looked = self._look(number, day, files, label)
            self._record.dates.append(looked)
            left -= looked.verdict == CHOSEN

    def _look(self, number: int, day: str, files: Mapping[str, Remote], label: Read) -> Looked:
        """A date, fetched if it is clear."""
        layer, cloud, missing = self._settings.cloud, -1.0, -1.0
        try:
            path = self._bring_band(day, layer, files)
            image = Image(self._record.chip, day, {layer: path})
            cloud, missing = (round(value, 4) for value in clouded(image, layer, label))
            if missing > self._settings.most_missing:
                return Looked(day, number, cloud, missing, "missing pixels")
            if cloud > self._settings.most_cloud:
                return Looked(day, number, cloud, missing, "cloudy")
            lacking = [band for band in self._settings.bands if band not in files]
            if lacking:  # seen before anything of the date is fetched
                self._bring_band(day, lacking[0], files)
            for band in (*self._settings.bands, SCL, CLD):
                self._bring_band(day, band, files)
        except InputError as error:
            return Looked(day, number, cloud, missing, str(error))
        return Looked(day, number, cloud, missing, CHOSEN)

    def _bring_band(self, day: str, band: str, files: Mapping[str, Remote]) -> Path:
        if band not in files:
            name = f"{self._record.chip}_{day}"
            raise DatasetError(complain(name, f"no {band}.tif", "all bands", _LACKS))
        collection = images_collection(self._record.continent)
        place = self._base / collection / f"{collection}_{self._record.chip}_{day}"
        return self._bring(files[band], place / f"{band}.tif")

    def _bring(self, remote: Remote, place: Path) -> Path:
        """A file, fetched, verified and opened; once more where it is damaged."""
        path, bad = self._folder / place, self._folder / ".quarantine"
        for left in reversed(range(_TRIES)):
            try:
                download(remote.url, path, remote.sum, remote.size, sign=remote.sign)
                if path.suffix == ".tif":
                    read(path)
            except DatasetError:
                bad.mkdir(parents=True, exist_ok=True)
                os.replace(path, bad / f"{path.parent.name}_{path.name}.{time.time_ns()}")
                if not left:
                    raise
            except InputError:
                if not left:
                    raise
            else:
                break
        stored = Stored(str(place), path.stat().st_size, checksum(path), shown(remote.url))
        if stored not in self._record.files:
            self._record.files.append(stored)
        return path
