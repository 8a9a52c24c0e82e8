"""Real Sentinel-2 images with the bands that a pair's target needs, from three kinds of archives.

`l2a_chips`: `.tif` of 12 bands in the order B01 ... B08, B8A, B09, B11, B12, uint16 x 10000,
    120 x 120 pixels of 10 m (the stored geotransform may say otherwise and is not used). Their
    makers brought the 20 m bands to 10 m by bilinear interpolation; that is undone here by least
    squares, which gives back what the sensor saw at 20 m. (A mean over 2 x 2 pixels would not: it
    passes half of the finest detail.) BigEarthNet chips, CDLA-Permissive.
`multires`: one MATLAB 7.3 file (HDF5) with `im10` (B04 B03 B02 B08) and `im20` (B05 B06 B07 B8A
    B11 B12), reflectance x 10000: the order of GDAL's Sentinel-2 driver. (No document says so, but
    of the first three the last has the brightest dark pixels: air scatters blue.) L1C, CC BY 4.0.
`granule`: a folder with one `*_B02.jp2` and its sister bands, uint16 x 10000 without offset, so
    of a processing baseline before 04.00. L1C, Copernicus data.

L1C is reflectance at the top of the atmosphere. It is used as if it were surface reflectance: the
shapes and contrasts are real, the levels hold haze; records say `TOA`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets.files import folder_of
from nndacss.errors import DatasetError, complain
from nndacss.raster import Pixels

Kind = Literal["l2a_chips", "multires", "granule"]
_SCALE = np.float32(10_000)
#: Bands of a chip's file, from 0: B02 B03 B04, B8A B11 B12.
_CHIP_TEN, _CHIP_TWENTY, _CHIP_BANDS = (1, 2, 3), (8, 10, 11), 12
#: Bands of `im10` and `im20`, from 0: the same.
_MULTI_TEN, _MULTI_TWENTY = (2, 1, 0), (3, 4, 5)


@dataclass(frozen=True)
class Image:
    """One image; both arrays begin at the same corner."""

    ten: Pixels
    """(3, rows, columns) blue, green, red at 10 m; NaN where missing."""
    twenty: Pixels
    """(3, rows / 2, columns / 2) nir08, swir16, swir22 at 20 m."""
    level: str
    """`TOA` or `SR`."""


def files(kind: Kind, folder: Path) -> dict[str, list[Path]]:
    """Image -> its files, sorted; DatasetError where there is none."""
    pattern, what = _PATTERNS[kind]
    found = sorted(folder_of(folder, pattern, what).glob(pattern))
    if kind != "granule":
        return {path.stem: [path] for path in found}
    result = {}
    for path in found:
        stem = path.stem.removesuffix("_B02")
        bands = [path.with_name(f"{stem}_{band}.jp2") for band in _JP2]
        for band in bands:
            if not band.is_file():
                remedy = "get the granule again"
                raise DatasetError(complain(band, "no such file", "a band of 10 or 20 m", remedy))
        result[stem] = bands
    return result


def read(kind: Kind, paths: list[Path]) -> Image:
    """One image from its files."""
    image = _READERS[kind](paths)
    (_, rows, columns), coarse = image.ten.shape, image.twenty.shape
    if coarse[1:] != (rows // 2, columns // 2) or rows % 2 or columns % 2:
        found = f"{rows} x {columns} pixels of 10 m and {coarse[1]} x {coarse[2]} of 20 m"
        raise DatasetError(complain(paths[0], found, "half as many of 20 m", "get it again"))
    return image


def _chip(paths: list[Path]) -> Image:
    counts = _raster(paths[0])
    if len(counts) != _CHIP_BANDS:
        found = f"{len(counts)} bands"
        raise DatasetError(complain(paths[0], found, "the 12 bands of L2A", "leave it out"))
    rows, columns = counts.shape[1:]
    down, across = (_unbilinear(size // 2) for size in (rows, columns))
    coarse = counts[list(_CHIP_TWENTY), : rows // 2 * 2, : columns // 2 * 2]
    twenty = down @ coarse @ across.T
    return Image(_reflectance(counts[list(_CHIP_TEN)]), twenty.astype(np.float32) / _SCALE, "SR")


def _multires(paths: list[Path]) -> Image:
    import h5py

    try:
        with h5py.File(paths[0], "r", locking=False) as file:
            ten = file["im10"][()][list(_MULTI_TEN)]
            twenty = file["im20"][()][list(_MULTI_TWENTY)]
    except (OSError, KeyError, IndexError) as error:
        expected = "a MATLAB 7.3 file with im10 and im20"
        raise DatasetError(complain(paths[0], str(error), expected, "get it again")) from error
    return Image(_reflectance(ten), _reflectance(twenty), "TOA")


def _granule(paths: list[Path]) -> Image:
    bands = [_raster(path)[0] for path in paths]
    sizes = {band.shape for band in bands[:3]}, {band.shape for band in bands[3:]}
    if any(len(size) > 1 for size in sizes):
        found = "bands of several sizes"
        raise DatasetError(complain(paths[0], found, "one size a resolution", "get it again"))
    return Image(_reflectance(np.stack(bands[:3])), _reflectance(np.stack(bands[3:])), "TOA")


def _raster(path: Path) -> NDArray[np.float64]:
    """(bands, rows, columns) counts."""
    import warnings

    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as file:
                counts: NDArray[np.float64] = file.read().astype(np.float64)
    except RasterioError as error:
        raise DatasetError(complain(path, str(error), "a raster", "get it again")) from error
    return counts


def _reflectance(counts: NDArray[Any]) -> Pixels:
    """Counts as float32 reflectance, NaN where 0, which is fill."""
    pixels: Pixels = np.where(counts > 0, counts, np.nan).astype(np.float32) / _SCALE
    return pixels


@lru_cache(maxsize=4)
def _unbilinear(size: int) -> NDArray[np.float64]:
    """(size, 2 size): the least-squares way back from bilinear interpolation to twice the pixels.

    Interpolation with aligned corners of pixels: each fine sample lies a quarter of a pixel from
    a coarse one, and the outermost repeat their neighbour.
    """
    up = np.zeros((2 * size, size))
    for fine in range(2 * size):
        place = min(max((fine + 0.5) / 2 - 0.5, 0.0), size - 1.0)
        low = min(int(place), size - 2) if size > 1 else 0
        up[fine, low] += 1 - (place - low)
        if size > 1:
            up[fine, low + 1] += place - low
    return np.asarray(np.linalg.pinv(up), dtype=np.float64)


_JP2 = ("B02", "B03", "B04", "B8A", "B11", "B12")
_PATTERNS = {
    "l2a_chips": ("*.tif", "12-band L2A chips"),
    "multires": ("*.mat", "a MATLAB file with im10 and im20"),
    "granule": ("*_B02.jp2", "the bands of an L1C granule"),
}
_READERS: Mapping[str, Callable[[list[Path]], Image]] = {
    "l2a_chips": _chip,
    "multires": _multires,
    "granule": _granule,
}
