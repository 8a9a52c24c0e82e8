"""A stand-in for LandCoverNet: Sentinel-2 seasons painted over its labels, in its own layout.

    python -m nndacss.simulate.landcover work/stand-in --labels data/landcovernet-labels

The labels are real where a folder of them is given, else made. The images are arithmetic (see
`landcover_ground` and `landcover_view`), so the archive shows that programs work, and measures
nothing about the world. Everything follows from the seed: the same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal
from zlib import crc32

from nndacss.errors import NndacssError, SettingsError
from nndacss.process import finished
from nndacss.simulate.landcover_archive import write_collections, write_image, write_label
from nndacss.simulate.landcover_ground import Country, Painter, greenness
from nndacss.simulate.landcover_labels import (
    SIDE,
    LabelChip,
    made_labels,
    real_labels,
    some_dates,
    true_classes,
)
from nndacss.simulate.landcover_view import Layers, Weather, observe

Layout = Literal["stac", "bucket"]

#: Chance that a date over a chip has clouds.
_CLOUDINESS = 0.5
#: Degrees of latitude beyond which snow may fall, and its chance in deepest winter.
_COLD, _SNOWY = 40.0, 0.25


@dataclass(frozen=True)
class Job:
    """One chip to paint; goes to a worker process."""

    folder: Path
    label: LabelChip
    dates: tuple[str, ...]
    seed: int
    layout: Layout

    def paint(self) -> None:
        """Its label and all its dates."""
        write_label(self.folder, self.label, self.dates, self.layout)
        painter = painter_of(self.label, self.seed)
        for day in self.dates:
            write_image(
                self.folder, self.label, day, seen(painter, self.label, day, self.seed), self.layout
            )


def painter_of(label: LabelChip, seed: int) -> Painter:
    """The ground of a label chip."""
    from rasterio.warp import transform

    x, y = label.centres()
    _, (latitude,) = transform(label.epsg, 4326, [float(x.mean())], [float(y.mean())])
    own = seed * 8191 + crc32(label.tile.encode()) % 65_521
    return Painter(
        true_classes(label, own), x, y, Country.drawn(label.tile, seed), float(latitude), own
    )


def seen(painter: Painter, label: LabelChip, day: str, seed: int) -> Layers:
    """What Sentinel-2 sees of a chip on a day, yyyymmdd."""
    when = datetime.strptime(day, "%Y%m%d").date()
    winter = 1 - greenness(when.timetuple().tm_yday, painter.latitude)
    cold = _SNOWY * winter**2 if abs(painter.latitude) > _COLD else 0.0
    weather = Weather.drawn(when, label.chip, seed, _CLOUDINESS, cold)
    return observe(painter, when, weather)


def write_landcovernet(
    folder: Path,
    labels: Path | None = None,
    chips: int = 24,
    dates: int = 3,
    seed: int = 0,
    layout: Layout = "stac",
    workers: int = 1,
    side: int = SIDE,
) -> Path:
    """An archive of so many chips, with so many dates a quarter; returns `folder`.

    `labels` holds real label chips; made ones have `side` rows and columns. How many processes
    paint changes no byte. DatasetError where a label cannot be read, SettingsError for numbers that
    make no archive, OutputError where the disk refuses.
    """
    if min(chips, dates) < 1 or seed < 0:
        found = f"{chips} chips, {dates} dates, seed {seed}"
        raise SettingsError(f"found {found}; expected at least one chip and date, and a seed >= 0")
    source = made_labels(seed, chips, side) if labels is None else real_labels(labels, chips)
    jobs = [
        Job(folder, label, some_dates(label.dates, dates), seed, layout)
        for label in islice(source, chips)
    ]
    for _ in finished(Job.paint, jobs, workers, "painted chips"):
        pass
    if layout == "stac":
        write_collections(folder, [(job.label, job.dates) for job in jobs])
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; 1 and one line on standard error where it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate.landcover",
        description="Write a stand-in for LandCoverNet: Sentinel-2 seasons painted over labels.",
    )
    parser.add_argument("folder", type=Path, help="where the archive goes; made where missing")
    parser.add_argument(
        "--labels", type=Path, help="folder of real label chips; default: made ones"
    )
    parser.add_argument("--chips", type=int, default=24, help="how many chips (24)")
    parser.add_argument("--dates", type=int, default=3, help="dates a quarter (3)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another archive (0)")
    parser.add_argument("--layout", choices=("stac", "bucket"), default="stac")
    parser.add_argument("--plant", action="store_true", help="plant errors; planted.csv names them")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(argv)
    try:
        write_landcovernet(
            given.folder,
            given.labels,
            given.chips,
            given.dates,
            given.seed,
            given.layout,
            given.threads,
        )
        if given.plant:
            from nndacss.simulate.landcover_errors import plant

            plant(given.folder, given.seed)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{given.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
