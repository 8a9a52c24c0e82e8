"""Images made of real spectra of snow, ice, rock and water around four North American glaciers.

The archive holds labelled points, not images: reflectance at 8,162 points of Landsat-8/9 surface
products and at 11,729 of Sentinel-2, there at both levels. An image here lays the points of one
site, date and product out over a plane: where which surface is, and which of its points, follows
smooth random fields, so that spectra and their spread are real and shapes are not. Points of like
brightness lie together. Classes: 1 snow and 3 glacier ice are {snow}; 2 snow in terrain's shadow
is {shadow, snow}; 4 rock and 5 water are {clear}.

Two facts about the columns, both visible in the data: Landsat's are counts * 2.75e-5 without the
offset of -0.2 (every value is a whole multiple), and `B12` of Sentinel-2's top of atmosphere
follows `B11` of the surface product at the same points (correlation 0.93), so it is swir16 and
swir22 is missing.

Snow-cover training points of Gulkana, South Cascade, Sperry and Wolverine glaciers, 2021; MIT.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import sums
from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of

_SNOW = of(Climate.SNOW)
#: Class of a point -> its label set.
CODES = {1: _SNOW, 2: of(Climate.SHADOW, Climate.SNOW), 3: _SNOW, 4: 1, 5: 1}
SITES = ("Gulkana", "SouthCascade", "Sperry", "Wolverine")
#: Fewer points of a surface than this would repeat too often over an image.
LEAST = 20
_VISIBLE = {"blue": "B2", "green": "B3", "red": "B4", "nir08": "B8A"}


@dataclass(frozen=True)
class Table:
    """One file of the archive."""

    file: str
    sensor: str
    level: str
    metres: float
    columns: Mapping[str, str]
    """Role -> column."""
    offset: float
    """Added to every value."""


TABLES = {
    "landsat-sr": Table(
        "Landsat_training_data.csv",
        "landsat8_oli",
        "SR",
        30.0,
        {"blue": "SR_B2", "green": "SR_B3", "red": "SR_B4", "nir08": "SR_B5", "swir16": "SR_B6",
         "swir22": "SR_B7"},
        -0.2,
    ),
    "msi-sr": Table(
        "Sentinel-2_SR_training_data.csv",
        "sentinel2_msi",
        "SR",
        20.0,
        {**_VISIBLE, "swir16": "B11", "swir22": "B12"},
        0.0,
    ),
    "msi-toa": Table(
        "Sentinel-2_TOA_training_data.csv",
        "sentinel2_msi",
        "TOA",
        20.0,
        {**_VISIBLE, "swir16": "B12"},
        0.0,
    ),
}  # fmt: skip


class SnowSpectra(Dataset):
    """Options: where the tables lie, which sites, how many images each date and product gives."""

    folder: Path
    sites: tuple[str, ...] = SITES
    """Keep training and test apart by site."""
    count: int = Field(default=4, ge=1)
    side: int = Field(default=256, ge=8)
    """Rows and columns, pixels."""
    seed: int = Field(default=0, ge=0)

    @field_validator("sites")
    @classmethod
    def _known(cls, sites: tuple[str, ...]) -> tuple[str, ...]:
        if not sites or not set(sites) <= set(SITES):
            raise ValueError(f"choose from {', '.join(SITES)}")
        return sites

    def names(self) -> tuple[str, ...]:
        """`<site>_<date>_<product>_<number>`, sorted."""
        return tuple(
            f"{site}_{date}_{product}_{number:03d}"
            for site, date, product in sorted(
                (*place, product)
                for product in TABLES
                for place in self._table(product)
                if place[0] in self.sites
            )
            for number in range(self.count)
        )

    def scene(self, name: str) -> str:
        """The site and date, of whichever product."""
        site, date, _ = name.split("_", 2)
        return f"spectra-{site}-{date}"

    def fingerprint(self) -> Mapping[str, Any]:
        """Sums of the tables."""
        return {"tables": sums([self.folder / table.file for table in TABLES.values()])}

    def load(self, name: str) -> Sample:
        """One image, composed now; the same for the same name and seed."""
        site, date, product, number = name.split("_")
        table, points = TABLES[product], self._table(product)[site, date]
        key = [self.seed, int(number), int(date), SITES.index(site), list(TABLES).index(product)]
        pixels, codes = compose(points, self.side, np.random.default_rng(key))
        lookup = np.zeros(max(CODES) + 1, np.uint16)
        lookup[list(CODES)] = list(CODES.values())
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=tuple(table.columns),
            sets=lookup[codes],
            sensor=table.sensor,
            level=table.level,
            metres=table.metres,
            sun=None,
        )

    def _table(self, product: str) -> Mapping[tuple[str, str], Points]:
        return read_table(self.folder / TABLES[product].file, product)


Points = Mapping[int, NDArray[np.float32]]
"""Class -> (points, bands) reflectance, from dark to bright."""


@cache
def read_table(path: Path, product: str) -> Mapping[tuple[str, str], Points]:
    """Site and date -> points of each class that has enough; DatasetError names what is wrong."""
    table = TABLES[product]
    found: dict[tuple[str, str], dict[int, list[list[float]]]] = {}
    try:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                values = [float(row[column]) + table.offset for column in table.columns.values()]
                place = found.setdefault((row["site_name"], row["image_date"]), {})
                place.setdefault(int(row["class"]), []).append(values)
    except (OSError, KeyError, ValueError) as error:
        expected = f"a table with columns site_name, image_date, class, {', '.join(table.columns)}"
        what = f"{type(error).__name__}: {error}"
        raise DatasetError(complain(path, what, expected, "get the archive again")) from error
    return {
        place: {code: _ordered(points) for code, points in classes.items() if len(points) >= LEAST}
        for place, classes in found.items()
    }


def _ordered(points: list[list[float]]) -> NDArray[np.float32]:
    values = np.array(points, dtype=np.float32)
    return values[np.argsort(values.mean(axis=1), kind="stable")]


def compose(
    points: Points, side: int, rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(bands, side, side) reflectance and (side, side) classes of one image."""
    from scipy.special import ndtr

    from nndacss.inpaint.texture import Texture

    codes, shape = sorted(points), (side, side)
    zoom = float(np.exp(rng.uniform(np.log(1.0), np.log(4.0))))
    height = np.stack(
        [Texture(rng, zoom).at(0, 0, shape) + rng.normal(0, 0.8) for _ in codes]
    ).argmax(axis=0)
    bands = next(iter(points.values())).shape[1]
    pixels = np.empty((bands, side, side), np.float32)
    for place, code in enumerate(codes):
        pool = points[code]
        # a part of the range in one image: a snow field is not of all ages at once
        width, rough = rng.uniform(0.15, 1.0), rng.uniform(0.01, 0.08)
        start = rng.uniform(0, 1 - width)
        rank = start + width * ndtr(Texture(rng, zoom).at(0, 0, shape))
        rank = np.clip(rank + rng.normal(0, rough, shape), 0, 1 - 1e-6)
        here = height == place
        pixels[:, here] = pool[(rank[here] * len(pool)).astype(np.intp)].T
    return pixels, np.array(codes)[height]


DATASET = SnowSpectra
