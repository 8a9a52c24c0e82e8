"""Airborne spectra through both sensors' response curves: one surface a row.

ENVI BSQ cubes of Scheffler et al. 2020 (doi:10.3390/rs12050773), reflectance x 10000, -9999
missing; 1,000 spectra of nine scenes each. Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import DatasetError, complain

Values = NDArray[np.float64]

#: File of a sensor's cube.
SPECTRA = "refcube__{}__nclust50__nsamp1000.bsq"
#: Sensor, number of bands, and which of them (from 0) are `nndacss.sensors.REFLECTIVE`.
_CUBES: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("Landsat-8__OLI_TIRS", 7, (1, 2, 3, 4, 5, 6)),
    ("Sentinel-2A__MSI", 11, (1, 2, 3, 8, 9, 10)),
)
_MISSING, _SCALE = -9999, 10000.0


def files(folder: Path) -> list[Path]:
    """The files that `matched` reads; DatasetError where one is missing."""
    found = []
    for cube, _, _ in _CUBES:
        path = folder / SPECTRA.format(cube)
        for part in (path, path.with_suffix(".hdr")):
            if not part.is_file():
                remedy = "correct `spectra` of the source in the config"
                raise DatasetError(complain(part, "no such file", "an ENVI cube", remedy))
            found.append(part)
    return found


def matched(folder: Path) -> tuple[Values, Values]:
    """Landsat-8 and Sentinel-2A, (spectra, 6) reflectance in the order of `REFLECTIVE` each.

    Row by row the same surface; those that either lacks in a band are left out.
    """
    landsat, sentinel = (_cube(folder, *cube) for cube in _CUBES)
    if len(landsat) != len(sentinel):
        found = f"{len(landsat)} and {len(sentinel)} spectra"
        raise DatasetError(complain(folder, found, "as many of both", "get the files again"))
    whole = (landsat != _MISSING).all(axis=1) & (sentinel != _MISSING).all(axis=1)
    return landsat[whole] / _SCALE, sentinel[whole] / _SCALE


def _cube(folder: Path, name: str, count: int, bands: tuple[int, ...]) -> Values:
    """(spectra, 6) counts of one sensor."""
    import rasterio
    from rasterio.errors import RasterioError

    path = folder / SPECTRA.format(name)
    try:
        with rasterio.open(path) as file:
            cube = file.read()
    except RasterioError as error:
        raise DatasetError(complain(path, str(error), "an ENVI cube", "get it again")) from error
    if len(cube) != count:
        found, expected = f"{len(cube)} bands", f"{count} bands of {name.replace('__', ' ')}"
        raise DatasetError(complain(path, found, expected, "get it again"))
    spectra: Values = cube[list(bands)].reshape(len(bands), -1).T.astype(np.float64)
    return spectra
