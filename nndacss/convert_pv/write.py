"""A converted scene in Proba-V's HDF5 layout, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.convert_pv.settings import ConvertSettings
from nndacss.raster import Pixels
from nndacss.readers.probav import BANDS
from nndacss.readers.probav.layout import CLOUDS, CONVERTED, band_path

#: Counts of reflectance 1, as Proba-V's products have.
SCALE = 2000
#: The count of missing pixels in Proba-V's products, and reflectance -1 of the published program.
NODATA, PUBLISHED_NODATA = -1, -SCALE
#: Of clouds where nothing is known.
UNKNOWN = -1.0
_CHUNK = 256
_LEVEL = "LEVEL2A"
#: type_product -> which class of the published program would have read the scene.
_CLASSES = {"landsat8": "L8Image", "biome": "Biome", "38c": "L8_38Clouds"}
#: EPSG:4326 as the products write it.
_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,'
    'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,'
    'AUTHORITY["EPSG","8901"]],UNIT["degree",0.01745329251994328,AUTHORITY["EPSG","9122"]],'
    'AUTHORITY["EPSG","4326"]]'
)


@dataclass(frozen=True)
class Facts:
    """What the file says of its scene."""

    name: str
    """Product id of the Landsat scene."""
    acquired: datetime
    origin: str
    """Who made the observation, in the words of the metadata."""
    digest: str
    """Of the recipe."""


class Writer:
    """An open product. Not for several threads."""

    def __init__(self, file: h5py.File, settings: ConvertSettings, *, labelled: bool) -> None:
        self._bands = [file[band_path(_LEVEL, band, "TOA")] for band in BANDS]
        self._clouds = file[CLOUDS] if labelled else None
        self._legacy = settings.edges == "legacy"
        self.valid = 0
        """Pixels written so far that are not missing."""

    def put(self, at: tuple[slice, slice], bands: Pixels, clouds: Pixels | None) -> None:
        """Write a piece: (4, rows, columns) reflectance and cloud cover, NaN where missing."""
        for dataset, band in zip(self._bands, bands, strict=True):
            dataset[at] = self._counts(band)
        if self._clouds is not None and clouds is not None:
            self._clouds[at] = np.where(np.isnan(clouds), np.float32(UNKNOWN), clouds)
        self.valid += int((~np.isnan(bands[0])).sum())

    def _counts(self, band: Pixels) -> Pixels:
        missing = np.isnan(band)
        counts = np.round(np.where(missing, 0, band) * SCALE)
        # a negative count would say missing: Lanczos' kernel can swing below zero beside clouds
        lowest = -(2**15) if self._legacy else 0
        counts = np.clip(counts, lowest, 2**15 - 1)
        nodata = PUBLISHED_NODATA if self._legacy else NODATA
        return np.asarray(np.where(missing, nodata, counts).astype(np.int16))


@contextmanager
def product(
    path: Path, grid: GeoBox, settings: ConvertSettings, facts: Facts, *, labelled: bool
) -> Iterator[Writer]:
    """A new product at `path`, its layout laid out, to be filled."""
    with h5py.File(path, "w", locking=False) as file:
        _root(file, grid, settings, facts)
        for band in BANDS:
            dataset = _dataset(file, band_path(_LEVEL, band, "TOA"), grid, settings, np.int16)
            dataset.attrs["OFFSET"], dataset.attrs["SCALE"] = 0, SCALE
            dataset.attrs["NO_DATA"] = PUBLISHED_NODATA if settings.edges == "legacy" else NODATA
        if labelled:
            dataset = _dataset(file, CLOUDS, grid, settings, np.float32)
            dataset.attrs["NO_DATA"] = UNKNOWN
        yield Writer(file, settings, labelled=labelled)


def recipe_of(path: Path) -> str | None:
    """The recipe's digest in a product that is there; None where the file says nothing of it."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return str(file.attrs["RECIPE"])
    except (OSError, KeyError):
        return None


def _root(file: h5py.File, grid: GeoBox, settings: ConvertSettings, facts: Facts) -> None:
    clock = facts.acquired.strftime("%Y-%m-%d %H:%M:%S")
    file.attrs.update(
        {
            "START_DATE": clock,
            "END_DATE": clock,
            "MAP_PROJECTION": _WKT,
            "SLICE": np.array([[0, size] for size in grid.shape]),
            "image": facts.name,
            CONVERTED: _CLASSES[settings.type_product],
            "ORIGIN": facts.origin,
            "GRID_SHIFT": settings.grid_shift,
            "EDGES": settings.edges,
            "RECIPE": facts.digest,
        }
    )
    a = grid.affine
    numbers = (a.c, a.a, a.b, a.f, a.d, a.e)
    form = "%f" if settings.grid_shift == "legacy" else "%.15g"
    text = " ".join(form % number for number in numbers)
    file.require_group("crs").attrs["GeoTransform"] = np.array([text]).astype("S258")


def _dataset(
    file: h5py.File, name: str, grid: GeoBox, settings: ConvertSettings, dtype: type[np.generic]
) -> h5py.Dataset:
    rows, columns = grid.shape
    dataset = file.create_dataset(
        name,
        shape=(rows, columns),
        dtype=dtype,
        chunks=(min(rows, _CHUNK), min(columns, _CHUNK)),
        shuffle=True,
        compression="gzip",
        compression_opts=4,
    )
    dataset.attrs["MAPPING"] = _mapping(grid, settings)
    return dataset


def _mapping(
    grid: GeoBox, settings: ConvertSettings
) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    """Nine texts. 0.5 says that the place is the centre of the upper left pixel, and it is."""
    a = grid.affine
    half = 0.0 if settings.grid_shift == "legacy" else 0.5
    place = (a.c + half * a.a, a.f + half * a.e, a.a, -a.e)
    texts = ["Geographic Lat/Lon", "0.5", "0.5", *(str(number) for number in place)]
    return np.array([*texts, "WGS84", "Degrees"]).astype("S")
