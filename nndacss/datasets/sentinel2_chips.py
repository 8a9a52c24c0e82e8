"""Labelled Sentinel-2 chips of three archives, as `.npz` files with `refl` and labels.

`cloudsen12_<place>_<kind>`: L1C, 10 m, B02 B03 B04. Drawn by people. `manual_hq` labels every
    pixel: 0 clear, 1 thick cloud, 2 thin cloud, 3 shadow. Where there is none, `manual_sc` holds
    scribbles: 0 clear, 1 and 2 thick cloud, 3 and 4 thin cloud, 5 and 6 shadow, 255 unlabelled.
    There is no snow class: 0 is {clear, snow}. CC0 (Aybar et al. 2022, Scientific Data 9, 782).
`alberta_<date>`: L2A at about 30 m, B02 B03 B04 B08, farmland in summer, five dates of one place.
    Shadow is painted by hand (`human_shadow`, the same as `label` 3). Cloud (`label` 1) is a
    product's (SCL and CLD): it misses thin cirrus, so scores on it are agreement with a product.
    255 are pixels that the hand calls shadow and the product cloud: unlabelled, since either may
    be wrong. 0 is {clear}: no snow lies there in June and July. The visible bands were stored in
    8 bits and stop at 0.4 (`saturated`): such pixels keep the value 0.4, a lower bound; as missing
    they would give bright cloud away. MIT.
`oncloudn_<number>`: L2A, 10 m, B02 B03 B04 B08, three places. 1 cloud, with generous outlines;
    0 is everything else, shadow and snow inside: {clear, shadow, snow}. CC BY 4.0 (On Cloud N).

All dates of a place are one scene, so that a split never sees the same ground on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import folder_of, zip_sums
from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of, translate

Arrays = Mapping[str, Any]

#: The archives' names of bands -> roles.
ROLES = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
_CLOUD, _SHADOW = of(Climate.CLOUD), of(Climate.SHADOW)
_NO_SNOW_CLASS = of(Climate.CLEAR, Climate.SNOW)
_DRAWN = {0: _NO_SNOW_CLASS, 1: _CLOUD, 2: _CLOUD, 3: _SHADOW}
_SCRIBBLED = {0: _NO_SNOW_CLASS, **dict.fromkeys((1, 2, 3, 4), _CLOUD), 5: _SHADOW, 6: _SHADOW}
_ALBERTA = {0: of(Climate.CLEAR), 1: _CLOUD, 3: _SHADOW, 255: 0}
_ON_CLOUD_N = {0: of(Climate.CLEAR, Climate.SHADOW, Climate.SNOW), 1: _CLOUD}


@dataclass(frozen=True)
class Family:
    """One of the archives."""

    level: str
    metres: float
    sets: Callable[[Arrays, str], Sets]


def _cloudsen12(arrays: Arrays, source: str) -> Sets:
    if "manual_hq" in arrays:
        return translate(arrays["manual_hq"], _DRAWN, source)
    return translate(arrays["manual_sc"], {**_SCRIBBLED, 255: 0}, source)


def _alberta(arrays: Arrays, source: str) -> Sets:
    sets = translate(arrays["label"], _ALBERTA, source)
    hand = np.asarray(arrays["human_shadow"], dtype=bool)
    # the file's label follows the hand; a pixel where it would not is nobody's
    return np.where(hand == (sets == _SHADOW), sets, np.uint16(0)).astype(np.uint16)


def _oncloudn(arrays: Arrays, source: str) -> Sets:
    return translate(arrays["label"], _ON_CLOUD_N, source)


FAMILIES = {
    "alberta": Family("SR", 30.0, _alberta),
    "cloudsen12": Family("TOA", 10.0, _cloudsen12),
    "oncloudn": Family("SR", 10.0, _oncloudn),
}


class Sentinel2Chips(Dataset):
    """Options: where the chips lie, and which archive."""

    folder: Path
    """Holds the `.npz` files."""
    family: Literal["all", "alberta", "cloudsen12", "oncloudn"] = "all"
    """One archive, or all three."""

    def names(self) -> tuple[str, ...]:
        """File names without suffix, sorted."""
        return tuple(file.stem for file in self._files())

    def scene(self, name: str) -> str:
        """The place: `alberta`, `cloudsen12-ROI_1746`, `oncloudn-1`."""
        family, _, rest = name.partition("_")
        if family == "alberta":
            return family
        return f"{family}-{rest.rpartition('_')[0] or rest}"

    def fingerprint(self) -> Mapping[str, Any]:
        """Checksums of all arrays."""
        return {"files": zip_sums(self._files())}

    def load(self, name: str) -> Sample:
        """One chip."""
        path = self.folder / f"{name}.npz"
        family = FAMILIES[name.partition("_")[0]]
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            pixels = arrays["refl"].astype(np.float32)
            roles = tuple(ROLES[str(band)] for band in arrays["bands"])
            sets = family.sets(arrays, str(path))
        except DatasetError:
            raise
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            found = f"{type(error).__name__}: {error}"
            expected = "arrays refl, bands and labels"
            raise DatasetError(complain(path, found, expected, "get it again")) from error
        # zero in all bands is what a sensor says where it saw nothing
        pixels[:, (pixels == 0).all(axis=0)] = np.nan
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=roles,
            sets=np.where(np.isnan(pixels).all(axis=0), np.uint16(0), sets).astype(np.uint16),
            sensor="sentinel2_msi",
            level=family.level,
            metres=family.metres,
            sun=_sun(arrays),
        )

    def _files(self) -> list[Path]:
        families = FAMILIES if self.family == "all" else (self.family,)
        pattern = "*.npz" if self.family == "all" else f"{self.family}_*.npz"
        folder = folder_of(self.folder, pattern, "labelled Sentinel-2 chips")
        return sorted(
            file for file in folder.glob("*.npz") if file.name.partition("_")[0] in families
        )


def _sun(arrays: Arrays) -> tuple[float, float] | None:
    if "sun_zen" not in arrays:
        return None
    return 90.0 - float(arrays["sun_zen"]), float(arrays["sun_az"])


DATASET = Sentinel2Chips
