"""EuroSAT, multispectral: 27,000 patches of 64 x 64 pixels at 10 m, each of one land use.

GeoTIFF of 13 Sentinel-2 L1C bands, DN = reflectance x 10000, in one folder a class, wherever below
`folder` those lie (`EuroSAT_MS/Forest/Forest_12.tif`; `ds/images/.../tif/Forest/...`). B8A is the
last band of a file, not the ninth: the archive's own mean of that band, 2594, is B8A's, and those
of the ninth and tenth, 732 and 12, are water vapour's and cirrus'. The patches come without their
place of acquisition, so neighbours cannot be kept together: each is a scene of its own, and scores
on a part of them are of patches, not of places.

Meant to teach an encoder before it learns land cover (section [pretrain]). MIT licence. Helber et
al. 2019, EuroSAT: a novel dataset and deep learning benchmark for land use and land cover
classification, doi:10.1109/JSTARS.2019.2918242; https://zenodo.org/records/7711810.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nndacss.datasets import Dataset, Sample
from nndacss.errors import DatasetError, complain
from nndacss.labels.eurosat import FOLDERS
from nndacss.labels.sets import of

#: Roles of a file's bands, in its order.
ROLES = (
    *("coastal", "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir"),
    *("nir09", "cirrus", "swir16", "swir22", "nir08"),
)
SCALE = 10000.0
_NAME = re.compile(r"(?P<kind>[A-Za-z]+)_(?P<number>\d+)\.tif")
_AGAIN = "get the archive's multispectral version again (EuroSAT_MS)"


class EuroSAT(Dataset):
    """Options: where the archive lies."""

    scheme: ClassVar[str] = "eurosat"

    folder: Path
    """Holds the ten class folders, or folders that hold them."""

    def names(self) -> tuple[str, ...]:
        """`<Class>_<number>`, sorted; DatasetError where there is none."""
        return tuple(_files(self.folder))

    def scene(self, name: str) -> str:
        """The patch itself: the archive does not say which lie together."""
        return name

    def fingerprint(self) -> Mapping[str, Any]:
        """Names and sizes; the label is a part of the name."""
        return {name: path.stat().st_size for name, path in _files(self.folder).items()}

    def load(self, name: str) -> Sample:
        """One patch."""
        from nndacss.datasets.rasters import read

        path = _files(self.folder)[name]
        counts = read(path).pixels
        if len(counts) != len(ROLES):
            expected = f"{len(ROLES)}, all of L1C"
            raise DatasetError(complain(path, f"{len(counts)} bands", expected, _AGAIN))
        pixels = counts.astype(np.float32) / np.float32(SCALE)
        pixels[:, (counts == 0).all(axis=0)] = np.nan
        code = FOLDERS.index(name.partition("_")[0])
        sets = np.full(counts.shape[1:], of(code), dtype=np.uint16)
        return Sample(
            name=name,
            scene=name,
            pixels=pixels,
            roles=ROLES,
            sets=sets,
            sensor="sentinel2_msi",
            level="TOA",
            metres=10.0,
            sun=None,
        )


@lru_cache(maxsize=4)
def _files(folder: Path) -> dict[str, Path]:
    """Name -> file, sorted by name; DatasetError where a name is there twice, or none is."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.tif")):
        named = _NAME.fullmatch(path.name)
        if named is None or named["kind"] not in FOLDERS or path.parent.name != named["kind"]:
            continue
        if path.stem in found:
            other = found[path.stem]
            remedy = "name the folder of one version of the archive"
            raise DatasetError(complain(path, f"{path.stem} in {other} too", "it once", remedy))
        found[path.stem] = path
    if not found:
        expected = f"folders {', '.join(FOLDERS[:2])}, ... with <Class>_<number>.tif"
        raise DatasetError(complain(folder, "no such file", expected, "correct `folder`"))
    return dict(sorted(found.items()))


DATASET = EuroSAT
