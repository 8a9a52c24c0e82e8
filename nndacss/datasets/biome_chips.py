"""31 chips of 31 Landsat-8 scenes, from the USGS L8 Biome cloud validation masks.

Images: `<chip>_image.tif`, 256 x 256 at 30 m without georeference, float32 top-of-atmosphere
reflectance of B2 B3 B4 B5 B6 B7 B9 and brightness temperature of B10 (kelvin, not used here).
Labels: `<chip>_mask.tif`: 64 shadow, 128 clear, 192 thin cloud, 255 cloud, 0 fill. Biome's
analysts marked shadows only in some scenes and snow nowhere, so "clear" is {clear, shadow, snow}
in a chip without code 64 and {clear, snow} in a chip with it.

Foga et al. 2017, Cloud detection algorithm comparison and validation for operational Landsat data
products, Remote Sensing of Environment 194. Data: USGS, public domain; packaging: MIT.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import folder_of, sizes, sums
from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import Sets, of, translate
from nndacss.sensors import REFLECTIVE

#: Bands of an image file, in order.
BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22", "cirrus", "thermal")
#: Codes of a mask.
SHADOW, CLEAR, THIN, CLOUD = 64, 128, 192, 255


class BiomeChips(Dataset):
    """Options: where the chips lie, which of them, which bands."""

    folder: Path
    """Holds `train` and `val`."""
    splits: tuple[str, ...] = ("train", "val")
    """Which of the two; their makers' split has no meaning here."""
    roles: tuple[str, ...] = REFLECTIVE
    """Any of blue, green, red, nir08, swir16, swir22, cirrus."""
    cloudless_unshaded: bool = False
    """For training: "clear" is {clear, snow} in a chip without any cloud, too. Only a cloud beyond
    its border could shade it, and nothing else teaches that dark water and lava are no shadow."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if not roles or not set(roles) <= set(BANDS[:-1]):
            raise ValueError(f"choose from {', '.join(BANDS[:-1])}")
        return roles

    def names(self) -> tuple[str, ...]:
        """Chips, sorted."""
        return tuple(sorted(self._images()))

    def scene(self, name: str) -> str:
        """`biome-Forest_05` of chip `Forest_05_0415`: the last number is a place in the scene."""
        return f"biome-{name.rpartition('_')[0]}"

    def fingerprint(self) -> Mapping[str, Any]:
        """Names and sizes of the images, sums of the masks."""
        images = self._images()
        masks = [_mask_of(image) for image in images.values()]
        return {"images": sizes(images.values()), "masks": sums(masks), "roles": self.roles}

    def load(self, name: str) -> Sample:
        """One chip."""
        image = self._images()[name]
        pixels = _read(image).astype(np.float32)
        codes = _read(_mask_of(image))
        if len(pixels) != len(BANDS) or codes.dtype != np.uint8 or len(codes) != 1:
            found = f"{len(pixels)} bands, a mask of {len(codes)} {codes.dtype}"
            expected = f"{len(BANDS)} bands and a mask of 1 uint8"
            raise DatasetError(complain(image, found, expected, "check the archive"))
        pixels[~np.isfinite(pixels)] = np.nan
        cloudless = not np.isin(codes, (THIN, CLOUD)).any()
        marked = bool((codes == SHADOW).any()) or (self.cloudless_unshaded and cloudless)
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels[[BANDS.index(role) for role in self.roles]],
            roles=self.roles,
            sets=to_sets(codes[0], _mask_of(image), marked=marked),
            sensor="landsat8_oli",
            level="TOA",
            metres=30.0,
            sun=None,
        )

    def _images(self) -> dict[str, Path]:
        found = {}
        for split in self.splits:
            folder = folder_of(self.folder / split, "*_image.tif", "the chips of L8 Biome")
            for image in folder.glob("*_image.tif"):
                found[image.name.removesuffix("_image.tif")] = image
        return found


def to_sets(codes: NDArray[np.uint8], source: object, *, marked: bool) -> Sets:
    """Label sets of a mask, or of a part of it; `marked` says whether shadows were.

    See the module for what "clear" means. DatasetError, which names `source`, for other codes.
    """
    unsaid = () if marked else (Climate.SHADOW,)
    clear, cloud = of(Climate.CLEAR, Climate.SNOW, *unsaid), of(Climate.CLOUD)
    table = {0: 0, SHADOW: of(Climate.SHADOW), CLEAR: clear, THIN: cloud, CLOUD: cloud}
    return translate(codes, table, source)


def _mask_of(image: Path) -> Path:
    mask = image.with_name(image.name.replace("_image.tif", "_mask.tif"))
    if not mask.is_file():
        remedy = "get the chip again, or remove its image"
        raise DatasetError(complain(image, "no mask beside it", mask.name, remedy))
    return mask


def _read(path: Path) -> NDArray[Any]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(path) as raster:
                pixels: NDArray[Any] = raster.read()
        except RasterioError as error:
            remedy = "get the chip again"
            raise DatasetError(complain(path, str(error), "a whole GeoTIFF", remedy)) from error
    return pixels


DATASET = BiomeChips
