"""38-Cloud and 95-Cloud: patches of Landsat-8 scenes, cloud or not, labelled by hand.

38-Cloud: 18 scenes to train with, 20 to test with. 95-Cloud adds 57 scenes to those 18; its test
scenes are the same. Folders, as published:
    38-Cloud_training/train_{red,green,blue,nir,gt}/
    95-cloud_training_only_additional_to38-cloud/train_{red,...,gt}_additional_to38cloud/
    38-Cloud_test/test_{red,green,blue,nir}/, Entire_scene_gts/
Patch n of a scene, in row r and column c of 384 x 384 pixels of 30 m, is
`red_patch_<n>_<r>_by_<c>_<scene>.TIF`, uint16; label `gt_patch_...TIF`: 255 cloud, thin or thick,
0 anything else and fill: {clear, shadow, snow}. A patch that lies in two folders counts once.

The labels of the test scenes are whole: `edited_corrected_gts_<scene>.TIF`, 0 and 1 (or 255); one
known copy says 0 fill, 1 not cloud, 2 cloud. Scenes were padded with zeros on all sides to whole
patches, half of it before the first row and column (rounded down), as the authors' evaluation
program takes it away again.

Patches hold the counts of Collection-1 Level-1 scenes, which the archive does not scale and whose
metadata it does not bring: reflectance (2e-5 count - 0.1) / sin(sun elevation), the gains of every
such scene (LSDS-1656). The elevation follows from path, row and day, see `wrs2.sun`, where no
`<scene>_MTL.txt` lies in `metadata`. Counts of 0 are fill.

Mohajerani and Saeedi 2019, Cloud-Net, IGARSS, doi:10.1109/IGARSS.2019.8898776; Mohajerani, Krammer
and Saeedi 2018, MMSP, doi:10.1109/MMSP.2018.8547095; for 95-Cloud: Mohajerani and Saeedi 2020,
Cloud-Net+, arXiv:2001.08768. Images: USGS, public domain. For the labels the authors state no
licence, and ask to be cited.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.archives import Archive
from nndacss.datasets.cloud38_files import Patch, patches, patches_once, place_of
from nndacss.datasets.files import sizes, sums
from nndacss.datasets.rasters import codes_of, metadata_beside, one_band, read, to_reflectance
from nndacss.datasets.wrs2 import SplitBy, acquisition, sun
from nndacss.errors import DatasetError, MetadataError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of, translate
from nndacss.readers.landsat.metadata import normalise
from nndacss.readers.landsat.mtl import parse

#: Share pages of Simon Fraser University, named in the authors' repositories, with the suffix
#: under which such a page gives its file. Kaggle has them too (38cloud-cloud-segmentation-in-
#: satellite-images, 95cloud-cloud-segmentation-on-satellite-images), for those who log in.
ARCHIVES = (
    Archive("95-Cloud_training.zip", "https://vault.sfu.ca/index.php/s/CrMBgYUh1qRsHAD/download"),
    Archive("38-Cloud_test.zip", "https://vault.sfu.ca/index.php/s/VRzcxMyoQlBMT2D/download"),
)

_ROLES = ("blue", "green", "red", "nir08")
#: Landsat-8 Level-1 counts of every collection (LSDS-1656): gain, offset, and where reflectance
#: is 0.
_GAIN, _OFFSET, _ZERO = 2e-5, -0.1, 5000
_NOT_CLOUD = of(Climate.CLEAR, Climate.SHADOW, Climate.SNOW)
_CLOUD = of(Climate.CLOUD)
_TWO = {0: _NOT_CLOUD, 1: _CLOUD, 255: _CLOUD}
_THREE = {0: 0, 1: _NOT_CLOUD, 2: _CLOUD}


class Cloud38(Dataset):
    """Options: where the patches lie, which of them, what a split keeps together."""

    folder: Path
    """Holds one or several of the published folders, at any depth."""
    part: Literal["train", "test", "all"] = "train"
    """The authors' own test scenes have their labels in `Entire_scene_gts`."""
    metadata: Path | None = None
    """A folder of `<scene>_MTL.txt`, for exact sun angles; not needed."""
    split_by: SplitBy = "scene"
    """`path_row` keeps all dates of a place together."""

    def names(self) -> tuple[str, ...]:
        """Patches, `patch_<n>_<r>_by_<c>_<scene>`, sorted."""
        return tuple(patches(self.folder, self._parts()))

    def scene(self, name: str) -> str:
        """The acquisition, or its place, e.g. `landsat-8 002053 2016-05-20`."""
        return acquisition(place_of(name).scene, name).group(self.split_by)

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of the images, sums of the labels and of the metadata.

        DatasetError where a band or a label is missing.
        """
        found = patches(self.folder, self._parts()).values()
        scenes = {patch.place.scene for patch in found}
        metadata = [path for scene in scenes if (path := self._metadata(scene)) is not None]
        return {
            "images": sizes(path for patch in found for path in patch.bands),
            "labels": sums({patch.label for patch in found}),
            "metadata": sums(metadata),
        }

    def load(self, name: str) -> Sample:
        """One patch."""
        patch = patches_once(self.folder, self._parts())[name]
        bands = [read(path) for path in patch.bands]
        shapes = {band.pixels.shape for band in bands}
        if len(shapes) != 1 or any(band.pixels.dtype != np.uint16 for band in bands):
            found = ", ".join(f"{band.pixels.shape} {band.pixels.dtype}" for band in bands)
            expected = "four bands of one size, uint16"
            raise DatasetError(complain(bands[0].path, found, expected, "get the patch again"))
        angles = self._sun(patch.place.scene)
        counts = np.concatenate([band.pixels for band in bands])
        _check_counts(counts, bands[0].path)
        sine = math.sin(math.radians(angles[0]))
        pixels = to_reflectance(counts, _GAIN / sine, _OFFSET / sine)
        if patch.whole is None:
            sets = translate(codes_of(read(patch.label), bands[0]), _TWO, patch.label)
        else:
            sets = _part(patch, patch.whole, counts.shape[1])
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=_ROLES,
            sets=np.where((counts == 0).all(axis=0), np.uint16(0), sets).astype(np.uint16),
            sensor="landsat8_oli",
            level="TOA",
            metres=30.0,
            sun=angles,
        )

    def _parts(self) -> tuple[str, ...]:
        return ("train", "test") if self.part == "all" else (self.part,)

    def _metadata(self, scene: str) -> Path | None:
        return None if self.metadata is None else metadata_beside(self.metadata, (scene,))

    def _sun(self, scene: str) -> tuple[float, float]:
        """Elevation and azimuth, stated or computed."""
        path, wanted = self._metadata(scene), acquisition(scene, self.folder)
        if path is None:
            return sun(wanted)
        try:
            found = normalise(path.name, parse(path.name, path.read_bytes()))
        except (MetadataError, OSError) as error:
            raise DatasetError(f"{path.parent}: {error}") from error
        if found.key != wanted.key:
            remedy = "put the metadata of that scene there"
            raise DatasetError(complain(path, f"metadata of {found.key}", wanted.key, remedy))
        return found.sun_elevation, found.sun_azimuth


def _check_counts(counts: NDArray[np.uint16], path: Path) -> None:
    """Level-1 counts have reflectance 0 at 5000: a copy that was rescaled shows at once."""
    seen = counts[counts > 0]
    if seen.size and np.median(seen) < _ZERO:
        found = f"a median of {np.median(seen):.0f}"
        expected = f"Landsat-8 Level-1 counts, at least {_ZERO} (reflectance 0)"
        raise DatasetError(complain(path, found, expected, "get the patches as published"))


def _part(patch: Patch, patches_of_scene: tuple[int, int], side: int) -> Sets:
    """Label sets of a patch from the raster of its whole scene; 0 in the padding around it."""
    whole = _whole(patch.label)
    place = (patch.place.row, patch.place.column)
    padding = []
    for size, count in zip(whole.shape, patches_of_scene, strict=True):
        spare = count * side - size
        if not 0 <= spare < side:
            found = f"{count} patches of {side} for {size} pixels of {patch.label.name}"
            remedy = "keep all patches of a scene"
            raise DatasetError(complain(patch.bands[0].parent, found, "as many as fit", remedy))
        padding.append((spare // 2, spare - spare // 2))
    padded = np.pad(whole, padding)
    row, column = ((number - 1) * side for number in place)
    return padded[row : row + side, column : column + side]


@lru_cache(maxsize=2)
def _whole(label: Path) -> Sets:
    """Label sets of a whole scene; read once for its 400 patches."""
    codes = one_band(read(label))
    return translate(codes, _THREE if (codes == 2).any() else _TWO, label)


DATASET = Cloud38
