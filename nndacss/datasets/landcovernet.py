"""LandCoverNet: land cover of 2018 on chips of 256 x 256 pixels at 10 m, and Sentinel-2 L2A images.

Seven classes and 0, "no data or unknown", which is no label here. Three people labelled each pixel;
band 2 of a label says how far they agreed (0 to 100), and becomes the weight of the pixel. The
label is the year's, so all dates of a chip share it. Chips of one MGRS tile lie within 110 km and
look alike: a sample's scene is its tile, so that no split has one tile on both sides.

CC BY 4.0. Alemohammad and Booth 2020, LandCoverNet: a global benchmark land cover classification
training dataset, arXiv:2012.03111; https://source.coop/radiantearth/landcovernet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import sums
from nndacss.datasets.landcovernet_files import Archive, Image, scan
from nndacss.datasets.landcovernet_read import hidden, read_label, read_pixels
from nndacss.errors import DatasetError, complain
from nndacss.labels.land_cover import ARCHIVE_OFFSET, LandCover
from nndacss.labels.sets import of, translate
from nndacss.landcovernet.names import BANDS, SCL

#: The archive's codes -> sets; 0 is unknown.
CODES = {0: 0} | {code + ARCHIVE_OFFSET: of(code) for code in LandCover if code != LandCover.NODATA}


class LandCoverNet(Dataset):
    """Options: where the archive lies, which bands, which chips."""

    scheme: ClassVar[str] = "land_cover"

    folder: Path
    """Holds the archive, in either layout, see `nndacss.datasets.landcovernet_files`."""
    bands: tuple[str, ...] = tuple(BANDS)
    """Bands by the archive's names: `["B02", "B03", "B04"]`."""
    selection: Path | None = None
    """A list of samples to keep, one name a line, as CleanLandCoverNet writes it; default: all."""
    split: Literal["tile", "chip", "image"] = "tile"
    """What is a scene. With `chip` a split may have neighbours on both sides, with `image` even the
    same ground and label at another season: to show how much better that looks than it is."""
    clouds_missing: bool = False
    """Whether pixels that SCL calls cloud or cloud shadow are missing (and lose their label)."""
    least_consensus: Annotated[int, Field(ge=0, le=100)] = 0
    """Pixels on which people agreed less have no label."""

    @model_validator(mode="after")
    def _known_bands(self) -> Self:
        unknown = [band for band in self.bands if band not in BANDS]
        if unknown or not self.bands or len(set(self.bands)) < len(self.bands):
            raise ValueError(f"bands must be some of {', '.join(BANDS)}, each once")
        return self

    def names(self) -> tuple[str, ...]:
        """`<tile>_<nn>_<yyyymmdd>` of dates that have bands and a label, sorted.

        DatasetError where there is none, or the selection names one that is not there.
        """
        return tuple(self._chosen(scan(self.folder)))

    def scene(self, name: str) -> str:
        """The tile, the chip or the image: see `split`."""
        parts = name.split("_")
        return "_".join(parts[: {"tile": 1, "chip": 2, "image": 3}[self.split]])

    def fingerprint(self) -> Mapping[str, Any]:
        """Checksums of labels, sizes of images."""
        archive = scan(self.folder)
        images = self._chosen(archive)
        chips = sorted({image.chip for image in images.values()})
        labels = {chip: sums([archive.labels[chip]]) for chip in chips}
        wanted = self._layers()
        sizes = {
            name: {
                band: path.stat().st_size for band, path in image.files.items() if band in wanted
            }
            for name, image in images.items()
        }
        return {"labels": {chip: next(iter(one.values())) for chip, one in labels.items()}} | {
            "images": sizes
        }

    def load(self, name: str) -> Sample:
        """One date of one chip."""
        image, path = self._found(name)
        label, consensus = read_label(path)
        pixels = read_pixels(image, self.bands, label)
        if self.clouds_missing:
            pixels[:, hidden(image, label)] = np.nan
        codes = np.where(consensus >= self.least_consensus, label.pixels[0], 0)
        sets = translate(codes.astype(np.uint8), CODES, path)
        sets[np.isnan(pixels).all(axis=0)] = 0
        weight = np.where(sets != 0, consensus / np.float32(100), np.float32(0))
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=tuple(BANDS[band] for band in self.bands),
            sets=sets,
            sensor="sentinel2_msi",
            level="SR",
            metres=10.0,
            sun=None,
            weight=weight.astype(np.float32),
        )

    def _layers(self) -> set[str]:
        """Bands and layers that decide a sample."""
        return {*self.bands, *([SCL] if self.clouds_missing else [])}

    def _chosen(self, archive: Archive) -> dict[str, Image]:
        """The dates to use, by name; those of chips without a label are left out."""
        usable = {
            name: image
            for name, image in archive.images.items()
            if image.has_bands and image.chip in archive.labels
        }
        if not usable:
            found = f"{len(archive.labels)} labels, {len(archive.images)} images, no pair of them"
            remedy = "fetch what is missing with AcquireLandCoverNet"
            raise DatasetError(complain(self.folder, found, "at least one", remedy))
        if self.selection is None:
            return usable
        kept = read_selection(self.selection)
        if not kept:
            remedy = "look into cleaning.csv, and loosen [clean] or overrule it"
            raise DatasetError(complain(self.selection, "no name", "one a line", remedy))
        absent = sorted(kept - usable.keys())
        if absent:
            found = f"{absent[0]} and {len(absent) - 1} more that {self.folder} does not hold"
            remedy = "run CleanLandCoverNet on this folder, or correct `selection`"
            raise DatasetError(complain(self.selection, found, "names of its samples", remedy))
        return {name: image for name, image in usable.items() if name in kept}

    def _found(self, name: str) -> tuple[Image, Path]:
        """A date and its chip's label; DatasetError where one of them is missing."""
        archive = _scanned(self.folder)
        if name not in archive.images:
            _scanned.cache_clear()  # it may have come since
            archive = _scanned(self.folder)
        image = archive.images.get(name)
        if image is None or image.chip not in archive.labels:
            found = "no such image" if image is None else f"no label of {image.chip}"
            remedy = "fetch it, or take it out of the selection"
            raise DatasetError(complain(f"{self.folder}: {name}", found, "both", remedy))
        return image, archive.labels[image.chip]


@lru_cache(maxsize=4)
def _scanned(folder: Path) -> Archive:
    """An archive as it was when a process first read from it: walking through it takes seconds."""
    return scan(folder)


def read_selection(path: Path) -> set[str]:
    """The names in a list, one a line; `#` begins a comment. DatasetError where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        remedy = "run CleanLandCoverNet, or take `selection` out"
        found = str(error.strerror)
        raise DatasetError(complain(path, found, "a list of names", remedy)) from error
    names = {line.partition("#")[0].strip() for line in lines}
    return names - {""}


DATASET = LandCoverNet
