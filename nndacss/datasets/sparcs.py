"""SPARCS: 80 sub-scenes of Landsat-8, 1000 x 1000 pixels of 30 m, every pixel labelled by hand.

Files of sub-scene `LC80010812013365LGN00_18` (of a scene before the collections), in any folder:
    _data.tif    ten bands of uint16 counts, "in order"
    _labels.tif  codes (Oregon State University), or
    _mask.png    the same codes as indices of a palette (USGS)
    _mtl.txt     metadata of the whole scene; also as `LC80010812013365LGN00_mtl.txt`
    _photo.png, _qmask.tif and _c1bqa.tif are not read (one sub-scene has no `_c1bqa.tif`)

Codes: 0 shadow, 1 shadow over water, 2 water, 3 snow or ice, 4 land, 5 cloud, 6 flooded. Both
shadows become shadow, water, land and flooded become clear. A mask has no class for shadow over
water; codes 1 and 2 are the stratum `water`, so that it is scored apart. What lies below a cloud,
or whether snow is in shadow, the codes do not say.

Which ten of the eleven bands they are is not published: all but pan (B1-B7, B9, B10, B11), or all
but one thermal band (B1-B8, B9, B10). The pixels tell, see `layout_of`. In the first case there
is no pan: what needs it must take it from the full scene or make it from blue, green and red.

Reflectance at the top of the atmosphere by the gains and the sun elevation of the scene's metadata.

Hughes and Kennedy 2019, High Quality Cloud Masking of Landsat 8 Imagery Using Convolutional Neural
Networks, Remote Sensing 11, 2591. USGS 2016, L8 SPARCS Cloud Validation Masks,
doi:10.5066/F7FB5146: public domain; the authors ask to be cited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.archives import Archive, found_in
from nndacss.datasets.files import sizes, sums
from nndacss.datasets.rasters import Read, codes_of, metadata_beside, read, to_reflectance
from nndacss.datasets.wrs2 import SplitBy, acquisition
from nndacss.errors import DatasetError, MetadataError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of, translate
from nndacss.readers.landsat.metadata import Metadata, normalise
from nndacss.readers.landsat.mtl import parse
from nndacss.sensors import REFLECTIVE
from nndacss.sensors.landsat8_oli import SENSOR

#: Both packagings; neither publisher states size or sum.
ARCHIVES = (
    Archive(
        "l8cloudmasks.zip", "https://landsat.usgs.gov/cloud-validation/sparcs/l8cloudmasks.zip"
    ),
    Archive(
        "sparcs_data_L8.zip",
        "https://emapr.ceoas.oregonstate.edu/sparcs/sparcs_data_L8.zip",
        wanted=False,
    ),
)

Layout = Literal["no_pan", "one_thermal"]
_BANDS: Mapping[Layout, tuple[str, ...]] = {
    "no_pan": tuple(role for role in SENSOR.roles if role != "pan"),
    "one_thermal": SENSOR.roles[:-1],
}
#: Codes of water, in shadow and not; flooded ground (6) is a class of its own.
_WATER = (1, 2)
_DATA, _LABELS = "_data.tif", ("_labels.tif", "_mask.png")
#: Two thermal bands, or pan with the mean of green and red, correlate by more (0.93 to 0.99 in the
#: real scenes at hand); cirrus with a thermal band by 0.45 at most in 31 Biome chips.
_ALIKE = 0.9
#: Cirrus may correlate with green and red as well (0.96 under a high cloud), but then rises by
#: less than 0.2 with their mean, and pan by 0.94 to 0.98.
_SLOPE = (0.7, 1.3)


class Sparcs(Dataset):
    """Options: where the sub-scenes lie, which bands, what a split keeps together."""

    folder: Path
    """Holds the files, in any sub-folder."""
    roles: tuple[str, ...] = REFLECTIVE
    """Any reflective band of Landsat-8; `pan` only where the files have it."""
    layout: Literal["tested", "no_pan", "one_thermal"] = "tested"
    """Which ten bands; `tested` asks the pixels."""
    shadow: Literal["all", "land", "water"] = "all"
    """Which shadows are labelled; the others are unlabelled."""
    split_by: SplitBy = "scene"
    """`path_row` keeps all dates of a place together."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        known = [role for role in SENSOR.roles if not role.startswith("lwir")]
        if not roles or not set(roles) <= set(known):
            raise ValueError(f"choose from {', '.join(known)}")
        return roles

    def names(self) -> tuple[str, ...]:
        """Sub-scenes, sorted."""
        return tuple(self._images())

    def scene(self, name: str) -> str:
        """The acquisition, or its place, e.g. `landsat-8 001081 2013-12-31`."""
        return acquisition(name, self.folder).group(self.split_by)

    def fingerprint(self) -> Mapping[str, Any]:
        """Sizes of the images, sums of labels and metadata, and the options that decide pixels."""
        images = self._images()
        return {
            "images": sizes(images.values()),
            "labels": sums(_label_of(image) for image in images.values()),
            "metadata": sums({_metadata_of(name, image) for name, image in images.items()}),
            "roles": self.roles,
        }

    def load(self, name: str) -> Sample:
        """One sub-scene."""
        images = self._images()
        image = _counts(images[name])
        bands = _BANDS[self._layout(image, images.values())]
        absent = [role for role in self.roles if role not in bands]
        if absent:
            found = f"bands {', '.join(bands)}"
            remedy = "take pan from the full scene, or leave it out of `roles`"
            raise DatasetError(complain(image.path, found, ", ".join(absent), remedy))
        metadata = _metadata(_metadata_of(name, image.path), acquisition(name, image.path).key)
        codes = codes_of(read(_label_of(image.path)), image)
        gains = {entry.role: (entry.gain, entry.offset) for entry in metadata.bands}
        pixels = [
            to_reflectance(image.pixels[bands.index(role)], *gains[role]) for role in self.roles
        ]
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=np.stack(pixels),
            roles=self.roles,
            sets=translate(codes, self._table(), _label_of(image.path)),
            sensor="landsat8_oli",
            level="TOA",
            metres=30.0,
            sun=(metadata.sun_elevation, metadata.sun_azimuth),
            strata={"water": np.isin(codes, _WATER)},
        )

    def _table(self) -> dict[int, int]:
        clear, shadow = of(Climate.CLEAR), of(Climate.SHADOW)
        return {
            0: 0 if self.shadow == "water" else shadow,
            1: 0 if self.shadow == "land" else shadow,
            **dict.fromkeys((2, 4, 6), clear),
            3: of(Climate.SNOW),
            5: of(Climate.CLOUD),
        }

    def _layout(self, image: Read, others: Iterable[Path]) -> Layout:
        """As stated, else as the image tells, else as the first other image tells that does.

        All images of an archive have the same bands, but one of an even sea may not show which.
        """
        if self.layout != "tested":
            return self.layout
        found = layout_of(image.pixels)
        for other in others:
            found = found or layout_of(_counts(other).pixels)
            if found:
                return found
        raise DatasetError(
            complain(
                image.path,
                "ten bands whose last two are unlike, and an eighth unlike green and red",
                "B1-B7, B9-B11 or B1-B8, B9, B10",
                'check the file, or state `layout = "no_pan"` or "one_thermal" in the config',
            )
        )

    def _images(self) -> dict[str, Path]:
        images: dict[str, Path] = {}
        for path in found_in(self.folder, f"*{_DATA}"):
            name = path.name.removesuffix(_DATA)
            if name in images:
                found = f"{name} twice, also in {images[name].parent}"
                raise DatasetError(complain(path, found, "once", "keep one packaging in `folder`"))
            images[name] = path
        if not images:
            found = (
                f"no *{_DATA}" if self.folder.is_dir() else f"no such folder (from {Path.cwd()})"
            )
            remedy = "correct `folder`, or run FetchDataset --kind sparcs"
            raise DatasetError(complain(self.folder, found, "the sub-scenes of SPARCS", remedy))
        return dict(sorted(images.items()))


def layout_of(counts: NDArray[np.uint16]) -> Layout | None:
    """Which ten bands (10, rows, columns) are, None where the pixels do not tell.

    The two thermal bands see nearly the same, cirrus and a thermal band do not (high cloud is
    bright in the one and dark in the other); pan is nearly the mean of green and red.
    """
    sparse = counts[:, ::3, ::3]
    seen = sparse[:, (sparse > 0).all(axis=0)].astype(np.float64)
    if _alike(seen[9], seen[8])[0] > _ALIKE:
        return "no_pan"
    correlation, slope = _alike(seen[7], (seen[2] + seen[3]) / 2)
    if correlation > _ALIKE and _SLOPE[0] < slope < _SLOPE[1]:
        return "one_thermal"
    return None


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Correlation of two bands, and how much the one rises with the other."""
    if one.size < 2 or one.std() == 0 or other.std() == 0:
        return 0.0, 0.0
    correlation = float(np.corrcoef(one, other)[0, 1])
    return correlation, correlation * float(one.std() / other.std())


def _counts(path: Path) -> Read:
    image = read(path)
    if len(image.pixels) != 10 or image.pixels.dtype != np.uint16:
        found = f"{len(image.pixels)} bands of {image.pixels.dtype}"
        remedy = "check that it is a _data.tif of SPARCS"
        raise DatasetError(complain(path, found, "ten bands of uint16 counts", remedy))
    return image


def _label_of(image: Path) -> Path:
    stem = image.name.removesuffix(_DATA)
    for end in _LABELS:
        label = image.with_name(stem + end)
        if label.is_file():
            return label
    expected = " or ".join(stem + end for end in _LABELS)
    remedy = "get the label again, or remove its image"
    raise DatasetError(complain(image, "no label beside it", expected, remedy))


def _metadata_of(name: str, image: Path) -> Path:
    found = metadata_beside(image.parent, (name, name.rpartition("_")[0]))
    if found is None:
        remedy = "get it from the archive: without it counts are no reflectance"
        raise DatasetError(complain(image, "no metadata beside it", f"{name}_mtl.txt", remedy))
    return found


def _metadata(path: Path, key: str) -> Metadata:
    try:
        metadata = normalise(path.name, parse(path.name, path.read_bytes()))
    except (MetadataError, OSError) as error:
        raise DatasetError(f"{path.parent}: {error}") from error
    if metadata.key != key:
        remedy = "put the metadata of that scene there"
        raise DatasetError(complain(path, f"metadata of {metadata.key}", key, remedy))
    return metadata


DATASET = Sparcs
