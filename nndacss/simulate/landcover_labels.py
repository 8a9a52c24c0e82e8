"""Label chips to paint on: LandCoverNet's own, or made ones where there are none.

Made labels are the twin's landscapes, material by material; their consensus is low along borders,
as it is where people draw them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets.landcovernet_files import scan
from nndacss.datasets.landcovernet_read import read_label
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.labels.land_cover import ARCHIVE_OFFSET, LandCover
from nndacss.landcovernet.names import quarter
from nndacss.simulate.landscape import Landscape
from nndacss.simulate.noise import Coordinates, Field, fractal
from nndacss.simulate.spectra import NUMBER

#: Rows and columns of a chip, and metres of its pixels.
SIDE, METRES = 256, 10.0
#: The twin's materials -> classes.
_CLASS = {
    "water": LandCover.WATER,
    "asphalt": LandCover.ARTIFICIAL,
    "tiled roof": LandCover.ARTIFICIAL,
    "bright roof": LandCover.ARTIFICIAL,
    "sand": LandCover.NATURAL_BARE,
    "rock": LandCover.NATURAL_BARE,
    "snow": LandCover.SNOW_ICE,
    "ice": LandCover.SNOW_ICE,
    "conifer": LandCover.WOODY,
    "broadleaf": LandCover.WOODY,
    "green crop": LandCover.CULTIVATED,
    "bare soil": LandCover.CULTIVATED,
    "ripe crop": LandCover.CULTIVATED,
    "rapeseed": LandCover.CULTIVATED,
    "grass": LandCover.NATURAL_VEGETATION,
    "steppe": LandCover.NATURAL_VEGETATION,
    "shrub": LandCover.NATURAL_VEGETATION,
}
#: What a class is taken for where people disagree.
_CONFUSED = {
    LandCover.WATER: LandCover.NATURAL_VEGETATION,
    LandCover.ARTIFICIAL: LandCover.NATURAL_BARE,
    LandCover.NATURAL_BARE: LandCover.NATURAL_VEGETATION,
    LandCover.SNOW_ICE: LandCover.NATURAL_BARE,
    LandCover.WOODY: LandCover.NATURAL_VEGETATION,
    LandCover.CULTIVATED: LandCover.NATURAL_VEGETATION,
    LandCover.NATURAL_VEGETATION: LandCover.CULTIVATED,
}
#: Made chips lie in central Europe, three to a tile of 100 km.
_EPSG, _CHIPS_A_TILE = 32632, 3
_FIRST_DAY = date(2018, 1, 3)
#: Days between two passes of the two satellites.
_REVISIT = 5


@dataclass(frozen=True)
class LabelChip:
    """A label to paint on."""

    continent: str
    chip: str
    """`<tile>_<nn>`."""
    epsg: int
    west: float
    north: float
    """Outer edge of the upper left pixel, metres."""
    codes: NDArray[np.uint8]
    """(rows, columns) LandCoverNet's codes, 0 to 7."""
    consensus: NDArray[np.uint8]
    """(rows, columns) 0 to 100."""
    dates: tuple[str, ...]
    """Days that Sentinel-2 passed, yyyymmdd."""
    source: Path | None = None
    """The folder of a real label; its files are copied."""

    @property
    def tile(self) -> str:
        """The MGRS tile."""
        return self.chip.partition("_")[0]

    def centres(self) -> tuple[Coordinates, Coordinates]:
        """(1, columns) and (rows, 1) map coordinates of pixel centres."""
        rows, columns = self.codes.shape
        x: Coordinates = self.west + METRES * (np.arange(columns, dtype=np.float64) + 0.5)
        y: Coordinates = self.north - METRES * (np.arange(rows, dtype=np.float64) + 0.5)
        return x[None, :], y[:, None]


def real_labels(folder: Path, count: int) -> Iterator[LabelChip]:
    """At most `count` of the labels in a folder, tile by tile, the tiles spread over all of them.

    DatasetError where there is none or one cannot be read.
    """
    tiles: dict[str, list[str]] = {}
    labels = scan(folder).labels
    for chip in labels:
        tiles.setdefault(chip.partition("_")[0], []).append(chip)
    chosen: list[str] = []
    for tile in _spread(sorted(tiles)):
        chosen += tiles[tile][: count - len(chosen)]
    for chip in sorted(chosen):
        yield _real(chip, labels[chip])


def made_labels(seed: int, count: int, side: int = SIDE) -> Iterator[LabelChip]:
    """Labels of made landscapes, `_CHIPS_A_TILE` to a tile; `side` rows and columns."""
    from mgrs import MGRS
    from rasterio.warp import transform

    for number in range(count):
        tile, own = divmod(number, _CHIPS_A_TILE)
        west = 310_000.0 + 100_000 * (tile % 4) + 30_000 * own
        north = 5_225_000.0 + 100_000 * (tile // 4) + 20_000 * own
        (longitude,), (latitude,) = transform(_EPSG, 4326, [west + 1280], [north - 1280])
        name = MGRS().toMGRS(latitude, longitude, MGRSPrecision=0).zfill(5)
        empty = np.zeros((side, side), dtype=np.uint8)
        chip = LabelChip("eu", f"{name}_{10 * own:02d}", _EPSG, west, north, empty, empty, _days())
        codes, consensus = _made(chip, seed * 1009 + tile)
        yield LabelChip("eu", chip.chip, _EPSG, west, north, codes, consensus, chip.dates)


def true_classes(label: LabelChip, seed: int) -> NDArray[np.uint8]:
    """(rows, columns) what is really there, codes of `LandCover`: the label, but for its errors.

    Errors lie in patches, the likelier the lower the consensus: none at 100, half the ground at
    30. Unknown ground is what lies nearest.
    """
    from scipy.ndimage import distance_transform_edt

    known = label.codes > 0
    if not known.any():
        return np.full(label.codes.shape, LandCover.NATURAL_VEGETATION, dtype=np.uint8)
    where = distance_transform_edt(~known, return_distances=False, return_indices=True)
    classes = (label.codes[tuple(where)] - ARCHIVE_OFFSET).astype(np.uint8)
    wrong = np.clip((100 - label.consensus.astype(np.float32)) / 140, 0, 0.6)
    lookup = np.array([_CONFUSED[LandCover(code)] for code in range(len(_CONFUSED))])
    patches = _ranked(fractal(*label.centres(), (260.0, 120.0, 50.0), seed + 40))
    result: NDArray[np.uint8] = np.where(patches < wrong, lookup[classes], classes)
    return result.astype(np.uint8)


def some_dates(dates: tuple[str, ...], per_quarter: int) -> tuple[str, ...]:
    """So many of each quarter, evenly spread.

    >>> some_dates(("20180103", "20180108", "20180113", "20180501"), 2)
    ('20180103', '20180113', '20180501')
    """
    chosen: list[str] = []
    for number in range(1, 5):
        own = [day for day in dates if quarter(day) == number]
        places = np.linspace(0, len(own) - 1, min(per_quarter, len(own)))
        chosen += [own[round(place)] for place in places]
    return tuple(chosen)


def _ranked(field: Field) -> Field:
    """Values of about N(0, 1) as uniform ones on 0..1."""
    result: Field = 1 / (1 + np.exp(-1.7 * field))
    return result


def _spread(tiles: list[str]) -> list[str]:
    """Tiles in such an order that the first few are from all over the list."""
    order = sorted(range(len(tiles)), key=lambda n: int(f"{n:012b}"[::-1], 2))
    return [tiles[n] for n in order]


def _real(chip: str, path: Path) -> LabelChip:
    label, consensus = read_label(path)
    item = _item(path.with_name("stac.json"))
    hrefs = [str(link.get("href", "")) for link in item.get("links", ())]
    days = [href.split("/")[-2][-8:] for href in hrefs if "_source_sentinel_2_" in href]
    collection = str(item.get("collection", "ref_landcovernet_af_v1_labels"))
    return LabelChip(
        continent=collection.split("_")[2],
        chip=chip,
        epsg=int(label.crs.to_epsg()),
        west=float(label.transform.c),
        north=float(label.transform.f),
        codes=label.pixels[0],
        consensus=consensus,
        dates=tuple(sorted(days)) or _days(),
        source=path.parent,
    )


def _item(path: Path) -> Mapping[str, Any]:
    try:
        item: Mapping[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DatasetError(complain(path, "no JSON", "a STAC item", "get it again")) from error
    return item


def _days() -> tuple[str, ...]:
    days = (_FIRST_DAY + timedelta(_REVISIT * number) for number in range(72))
    return tuple(day.strftime("%Y%m%d") for day in days)


def _made(chip: LabelChip, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes and consensus of a made landscape."""
    if seed < 0:
        raise SettingsError(f"--seed is {seed}; expected 0 or more")
    x, y = chip.centres()
    materials = Landscape(seed).materials(x, y)
    lookup = np.zeros(len(NUMBER), dtype=np.uint8)
    for name, code in _CLASS.items():
        lookup[NUMBER[name]] = code + ARCHIVE_OFFSET
    codes: NDArray[np.uint8] = lookup[materials]
    borders = np.zeros(codes.shape, dtype=np.bool_)
    for axis in (0, 1):
        for step in (1, -1):
            borders |= np.roll(codes, step, axis) != codes
    doubt = _ranked(fractal(x, y, (500.0, 200.0), seed + 41))
    consensus = np.where(borders, 60, np.where(doubt < 0.25, 68, 100))
    return codes, consensus.astype(np.uint8)
