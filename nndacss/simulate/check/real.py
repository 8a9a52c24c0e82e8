"""The real data, as the sections of the page want them. Facts about each archive stand here."""

from __future__ import annotations

import csv
import tarfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from nndacss.raster import Pixels
from nndacss.simulate.check.parts import Labelled, Mask

Planes = dict[str, NDArray[np.float32]]

#: Roles of the reflective bands of a Biome chip; the thermal one is left out.
BIOME_ROLES = ("blue", "green", "red", "nir08", "swir16", "swir22", "cirrus")
S2_ROLES = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}

#: Surface classes of `spectra`, by code.
SURFACES = {1: "snow", 2: "snow in shadow", 3: "ice", 4: "rock", 5: "water"}


def _read(path: Path) -> NDArray[Any]:
    """(bands, rows, columns) of a raster that may have no georeference."""
    with _quiet(), rasterio.open(path) as raster:
        values: NDArray[Any] = raster.read()
    return values


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that a raster has no georeference: these are read as arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def biome(data: Path, part: str) -> list[Labelled]:
    """Chips of `train` or `val`: 64 shadow, 128 clear, 192 thin cloud, 255 cloud.

    Shadow is marked in some scenes only: in those where the code occurs.
    """
    chips = []
    for path in sorted((data / "landsat8-biome-chips" / part).glob("*_image.tif")):
        codes = _read(path.with_name(path.name.replace("_image", "_mask")))[0]
        shadow = codes == 64
        chips.append(
            Labelled(
                name=path.name.removesuffix("_image.tif"),
                source=f"Biome {part}",
                pixels=_read(path)[:7].astype(np.float32),
                roles=BIOME_ROLES,
                level="TOA",
                cloud=codes >= 192,
                thin=codes == 192,
                shadow=shadow if shadow.any() else None,
            )
        )
    return chips


def sentinel2(data: Path) -> list[Labelled]:
    """Chips with four bands: `alberta` (shadow painted by hand, 30 m) and `oncloudn` (10 m).

    Conflicts of label (255) and saturated pixels of `alberta` count as missing; cloud there is a
    product's, not a person's.
    """
    chips = []
    for path in sorted((data / "sentinel2-labelled").glob("[ao][ln]*_*.npz")):
        with np.load(path) as archive:
            held = {name: archive[name] for name in archive.files}
        pixels = held["refl"].astype(np.float32)
        pixels[:, held["label"] == 255] = np.nan
        by_hand = "human_shadow" in held
        chips.append(
            Labelled(
                name=path.stem,
                source=path.stem.split("_")[0],
                pixels=pixels,
                roles=tuple(S2_ROLES[str(name)] for name in held["bands"]),
                level="SR",
                cloud=held["label"] == 1,
                thin=None,
                shadow=held["human_shadow"] & (held["label"] != 1) if by_hand else None,
                metres=30.0 if by_hand else 10.0,
            )
        )
    return chips


def cloud_masks(data: Path) -> Iterator[tuple[str, Mask, float]]:
    """Name, mask and pixel size: the Sentinel-2 Cloud Mask Catalogue, 1022 x 1022 at 20 m."""
    for path in sorted((data / "masks-real-shapes" / "cloud-sentinel2-catalogue").glob("*.png")):
        with Image.open(path) as picture:
            yield path.stem, np.asarray(picture) > 0, 20.0


def cloud_snow_masks(data: Path) -> Iterator[tuple[str, Mask, float]]:
    """Name, cloud mask at 20 m and pixel size: rasters at 10 m, 1 background, 2 cloud, 3 snow."""
    for path in sorted((data / "masks-real-shapes" / "cloud-snow-sentinel2").glob("*.tif")):
        yield path.stem, (_read(path)[0] == 2)[::2, ::2], 20.0


def surfaces(data: Path) -> dict[str, dict[str, Planes]]:
    """By archive, surface and role: reflectances of `spectra`.

    Two facts about the columns, both visible in the data: Landsat's are counts * 2.75e-5 without
    the offset of -0.2 (every value is a whole multiple), and the short-wave infrared columns of
    Sentinel-2's top of atmosphere are one off (`B12` there follows `B11` of the surface product
    of the same points, correlation 0.93; `B11` is the cirrus band), so swir22 is missing.
    """
    folder = data / "spectra"
    landsat = {f"SR_B{n}": role for n, role in enumerate(BIOME_ROLES[:6], 2)}
    visible = {"B2": "blue", "B3": "green", "B4": "red", "B8A": "nir08"}
    return {
        "Landsat SR": _table(folder / "Landsat_training_data.csv", landsat, -0.2),
        "Sentinel-2 SR": _table(
            folder / "Sentinel-2_SR_training_data.csv",
            {**visible, "B11": "swir16", "B12": "swir22"},
            0.0,
        ),
        "Sentinel-2 TOA": _table(
            folder / "Sentinel-2_TOA_training_data.csv", {**visible, "B12": "swir16"}, 0.0
        ),
    }


def _table(path: Path, columns: dict[str, str], add: float) -> dict[str, Planes]:
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    chosen = {code: [row for row in rows if int(float(row["class"])) == code] for code in SURFACES}
    return {
        SURFACES[code]: {
            role: np.array([float(row[name] or "nan") for row in some], dtype=np.float32) + add
            for name, role in columns.items()
        }
        for code, some in chosen.items()
    }


@dataclass(frozen=True)
class Crop:
    """Clear or nearly clear real pixels of one sensor, level and pixel size."""

    name: str
    kind: str
    """Sensor, level and metres, as the twin's crops are called too."""
    planes: Planes
    """role -> reflectance."""


def crops(data: Path) -> Iterator[Crop]:
    """Crops at native resolution, in reflectance; Landsat's level 1 without the sun's angle.

    The sun's angle scales signal and noise alike; signal-to-noise and sharpness do not change.
    """
    yield from _landsat_crops(data / "landsat-c2-crops")
    yield from _sentinel2_crops(data)


def _landsat_crops(folder: Path) -> Iterator[Crop]:
    for path in sorted(folder.glob("*.tar.gz")):
        level = "L1TP" if "_L1TP_" in path.name else "L2SP"
        mult, add = (2e-5, -0.1) if level == "L1TP" else (2.75e-5, -0.2)
        planes: Planes = {}
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                number = member.name.removesuffix(".TIF").rpartition("_B")[2]
                file = archive.extractfile(member) if number in "234567" else None
                if file is not None:
                    with _quiet(), MemoryFile(file.read()) as memory, memory.open() as raster:
                        planes[BIOME_ROLES[int(number) - 2]] = _scaled(raster.read(1), mult, add)
        yield Crop(path.name.removesuffix("-cropped.tar.gz"), f"Landsat {level} 30 m", planes)


def _sentinel2_crops(data: Path) -> Iterator[Crop]:
    fine = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
    coarse = {"B8A": "nir08", "B11": "swir16", "B12": "swir22"}
    for metres, names in ((10, fine), (20, coarse)):
        files = {
            role: next((data / "sentinel2-l1c-jp2").glob(f"*_{name}.jp2"), None)
            for name, role in names.items()
        }
        planes = {role: _scaled(_read(file)[0], 1e-4, 0) for role, file in files.items() if file}
        if planes:
            yield Crop("T31TDH", f"Sentinel-2 L1C {metres} m", planes)
    for path in sorted((data / "sentinel2-l1c-multires").glob("*.mat")):
        with h5py.File(path) as file:
            for key, metres, roles in (
                ("im10", 10, ("blue", "green", "red", "nir")),
                ("im20", 20, ("", "", "", "nir08", "swir16", "swir22")),
            ):
                stack = np.asarray(file[key]).astype(np.float32)
                scale = 1e-4 if np.nanmax(stack) > 20 else 1.0
                planes = {r: p * np.float32(scale) for r, p in zip(roles, stack, strict=True) if r}
                yield Crop(path.stem, f"Sentinel-2 L1C {metres} m", planes)
    for path in sorted((data / "sentinel2-l2a-chips").glob("*.tif")):
        stack = _read(path)
        planes = {role: _scaled(stack[n], 1e-4, 0) for n, role in ((1, "blue"), (2, "green"))}
        planes |= {role: _scaled(stack[n], 1e-4, 0) for n, role in ((3, "red"), (7, "nir"))}
        yield Crop(path.stem, "Sentinel-2 L2A 10 m", planes)


def _scaled(counts: NDArray[Any], mult: float, add: float) -> NDArray[np.float32]:
    """Reflectance; NaN where the count is 0."""
    value = counts.astype(np.float32) * np.float32(mult) + np.float32(add)
    return np.where(counts == 0, np.float32(np.nan), value)


def pairs(data: Path) -> Pixels | None:
    """(2, 6, spectra) reflectance of the same spectra seen by Landsat and by Sentinel-2.

    None where the files are absent.
    """
    folder = data / "spectra-pairs"
    stacks = []
    for sensor, bands in (("Landsat-8", range(1, 7)), ("Sentinel-2A", (1, 2, 3, 7, 9, 10))):
        path = next(folder.glob(f"refcube__{sensor}__*.bsq"), None)
        if path is None:
            return None
        values = _read(path).reshape(_read(path).shape[0], -1)[list(bands)]
        stacks.append(np.where(values == -9999, np.nan, values.astype(np.float32) * 1e-4))
    both: Pixels = np.stack(stacks).astype(np.float32)
    return both
