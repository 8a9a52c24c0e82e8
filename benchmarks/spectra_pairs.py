"""The spectral step alone, on spectra that both sensors would see: Landsat-8 and Sentinel-2A.

1,000 spectra of each of 9 airborne scenes, as both sensors' band responses see them: no
atmosphere, no geometry, no noise. What is left is the difference of the bands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nndacss.errors import DatasetError, complain
from nndacss.harmonize.spectral import bandpass_spectral, step
from nndacss.metrics.image import compare
from nndacss.models.harmonizer_card import ROLES
from nndacss.raster import Pixels

#: Band names of the two files, in the order of `ROLES`.
OLI = ("Band 2", "Band 3", "Band 4", "Band 5", "Band 6", "Band 7")
MSI = ("Band 2", "Band 3", "Band 4", "Band 8A", "Band 11", "Band 12")
NODATA, SCALE = -9999, 10000
TARGET = "sentinel-2a"


def read_spectra(path: Path, names: tuple[str, ...]) -> Pixels:
    """(bands, spectra, scenes) float32 reflectance of an ENVI file, NaN missing."""
    import rasterio

    if not path.is_file():
        remedy = "give the folder that holds spectra-pairs as --data"
        raise DatasetError(complain(path, "no such file", "matched spectra", remedy))
    with rasterio.open(path) as file:
        counts: NDArray[np.int16] = file.read()
        bands = [str(name).split(" (")[0] for name in file.descriptions]
    chosen = counts[[bands.index(name) for name in names]]
    missing = chosen == NODATA
    found: Pixels = np.where(missing, np.float32(np.nan), chosen / np.float32(SCALE))
    return found.astype(np.float32)


def read_pairs(data: Path) -> tuple[Pixels, Pixels]:
    """What Landsat-8 and what Sentinel-2A sees, (6, spectra, scenes) each."""
    folder = data / "spectra-pairs"
    end = "__nclust50__nsamp1000.bsq"
    oli = read_spectra(folder / f"refcube__Landsat-8__OLI_TIRS{end}", OLI)
    return oli, read_spectra(folder / f"refcube__Sentinel-2A__MSI{end}", MSI)


def measure_spectra(data: Path) -> dict[str, Any]:
    """RMSE and bias per band of three ways from one sensor to the other."""
    oli, msi = read_pairs(data)
    lost = np.isnan(oli).any(axis=0) | np.isnan(msi).any(axis=0)
    msi = np.where(lost, np.float32(np.nan), msi)
    ways: dict[str, Callable[[Pixels], Pixels]] = {
        "as it is": lambda pixels: pixels,
        "bandpass": bandpass_spectral(TARGET).apply,
        "spectral step": step(TARGET).apply,
    }
    scores = {}
    for name, way in ways.items():
        sums = compare(way(oli), msi)
        scores[name] = {
            "rmse": dict(zip(ROLES, sums.rmse().tolist(), strict=True)),
            "bias": dict(zip(ROLES, sums.bias().tolist(), strict=True)),
        }
    return {"spectra": int((~lost).sum()), "scores": scores}


def show_spectra(found: dict[str, Any], console: Console) -> None:
    """The table."""
    table = Table(title=f"{found['spectra']:,} matched spectra, Landsat-8 to Sentinel-2A")
    table.add_column("")
    for name in found["scores"]:
        table.add_column(f"{name}\nRMSE", justify="right")
        table.add_column("\nbias", justify="right")
    for role in ROLES:
        cells = []
        for scores in found["scores"].values():
            cells += [f"{scores['rmse'][role]:.5f}", f"{scores['bias'][role]:+.5f}"]
        table.add_row(role, *cells)
    console.print(table)
