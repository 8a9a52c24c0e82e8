"""An adapted copy of a Proba-V product: bands translated in place, then the mask from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5z
from numpy.typing import NDArray

from nndacss.errors import BandError, InputError, complain
from nndacss.models.probav_networks import (
    DETECT,
    TRANSLATE,
    CloudDetector,
    Tile,
    Translator,
    in_tiles,
)
from nndacss.raster import Pixels
from nndacss.readers.probav.layout import band_path, nodata_of, scale_of
from nndacss.readers.probav.product import Product

#: Probability of cloud, float32 0..1, -1 missing; in the file's root, as the published program's.
CLOUD = "CM_DAGANS"
MISSING = -1
#: Reflectance that a band can hold, as in the published program.
LOWEST, HIGHEST = 0.0, 2.0
#: Bytes of decoded chunks that HDF5 keeps for a dataset: a row of tiles across a product.
CHUNK_CACHE = 32 << 20
_CHUNK = 256

Progress = Callable[[float], None]


def open_copy(path: Path) -> h5py.File:
    """The copy, to be changed."""
    return h5py.File(path, "r+", locking=False, rdcc_nbytes=CHUNK_CACHE)


def check(product: Product, file: h5py.File) -> None:
    """InputError where the product cannot be adapted; before anything is computed."""
    if CLOUD in file:
        remedy = "give the product that it was made of"
        expected = "a product as observed or converted"
        raise InputError(complain(product.path, f"{CLOUD}: adapted already", expected, remedy))
    for dataset in _datasets(product, file):
        if dataset.dtype.kind not in "iu":
            found = f"{dataset.dtype} numbers in {dataset.name}"
            raise BandError(complain(product.path, found, "integer counts", "get the file again"))
        if dataset.compression == "szip" and not _szip():
            found = f"{dataset.name} packed with szip, which this HDF5 library only reads"
            remedy = "install h5py from PyPI (pip install --force-reinstall h5py)"
            raise BandError(complain(product.path, found, "a library that packs it too", remedy))


def translate(product: Product, file: h5py.File, network: Translator, progress: Progress) -> float:
    """Write the adapted bands of `product` into the copy `file`; returns the valid share.

    Where a band is missing, all are.
    """
    layers = _datasets(product, file)
    codings = [Coding.of(layer, product.path) for layer in layers]
    valid = 0
    for tile, pixels in in_tiles(product.read, network, product.shape, TRANSLATE):
        kept = pixels[:, *tile.inside]
        for layer, band, coding in zip(layers, kept, codings, strict=True):
            layer[tile.at] = coding.counts(band)
        valid += int(np.count_nonzero(~np.isnan(kept[0])))
        progress(_done(tile, product.shape))
    return valid / (product.shape[0] * product.shape[1])


@dataclass(frozen=True)
class Coding:
    """How a band of the product holds reflectance."""

    offset: float
    scale: float
    nodata: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, layer: h5py.Dataset, path: Path) -> Coding:
        """As the dataset's attributes say; MetadataError where they say nothing."""
        offset, scale = scale_of(layer, path)
        return cls(offset, scale, int(nodata_of(layer)), layer.dtype)

    def counts(self, band: Pixels) -> NDArray[Any]:
        """Reflectance, clipped to 0..2, as counts; a value never gets one that says missing.

        Missing is what the file calls so, and whatever is below zero.
        """
        missing = np.isnan(band)
        bounded = np.clip(np.where(missing, 0, band), LOWEST, HIGHEST)
        values = np.rint(bounded * self.scale + self.offset)
        values = np.clip(values, max(self.nodata + 1, 0), np.iinfo(self.dtype).max)
        result: NDArray[Any] = np.where(missing, self.nodata, values).astype(self.dtype)
        return result


def detect(copy: Product, file: h5py.File, network: CloudDetector, progress: Progress) -> float:
    """Add the cloud probability of the adapted bands to `file`; returns the cloudy share.

    That is of the valid pixels those with a probability above 0.5; NaN where there are none.
    """
    band = file[band_path(copy.level, copy.bands[0], copy.quantity)]
    rows, columns = copy.shape
    layer = file.create_dataset(
        CLOUD,
        shape=(rows, columns),
        dtype=np.float32,
        chunks=(min(rows, _CHUNK), min(columns, _CHUNK)),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fillvalue=MISSING,
    )
    if "MAPPING" in band.attrs:
        layer.attrs["MAPPING"] = band.attrs["MAPPING"]
    layer.attrs["NO_DATA"] = np.float32(MISSING)
    layer.attrs["DESCRIPTION"] = "Probability of cloud, 0 to 1; -1 missing"
    cloudy = valid = 0
    for tile, pixels in in_tiles(copy.read, network, copy.shape, DETECT):
        kept = pixels[tile.inside]
        missing = np.isnan(kept)
        layer[tile.at] = np.where(missing, np.float32(MISSING), kept)
        cloudy += int(np.count_nonzero(kept > 0.5))
        valid += int(np.count_nonzero(~missing))
        progress(_done(tile, copy.shape))
    return cloudy / valid if valid else float("nan")


def _datasets(product: Product, file: h5py.File) -> list[h5py.Dataset]:
    return [file[band_path(product.level, band, product.quantity)] for band in product.bands]


def _szip() -> bool:
    """Whether the HDF5 library can pack with szip, not only unpack."""
    if not h5z.filter_avail(h5z.FILTER_SZIP):
        return False
    return bool(h5z.get_filter_info(h5z.FILTER_SZIP) & h5z.FILTER_CONFIG_ENCODE_ENABLED)


def _done(tile: Tile, shape: tuple[int, int]) -> float:
    """Share of the rows that are done."""
    rows, columns = tile.at
    height = rows.stop - rows.start
    share: float = (rows.start + height * columns.stop / shape[1]) / shape[0]
    return share
