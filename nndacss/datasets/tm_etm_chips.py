"""Two labelled images of other sensors: Landsat-5 TM and Landsat-7 ETM+, for tests alone.

`landsat5.npz` and `landsat7.npz`: `img` (512, 512, 6) float32 top-of-atmosphere reflectance of the
blue, green, red, near infrared and both short-wave infrared bands at 30 m, clipped where the
sensors saturate; `msk` (512, 512, 1): 0 shadow, 1 water, 2 snow, 3 land, 4 cloud. Their near
infrared (0.76 to 0.90 um) is as broad as Sentinel-2's B08, so its role is `nir`. No sun angles.

From the samples of ukis-csmask (German Aerospace Center), Apache-2.0: a network of theirs may have
been trained on these scenes. Wieland, Li and Martinis 2019, Multi-sensor cloud and cloud shadow
segmentation with a convolutional neural network, Remote Sensing of Environment 230, 111203.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import Field, field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import folder_of, zip_sums
from nndacss.errors import DatasetError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of, translate

#: Bands of an image, in order.
ROLES = ("blue", "green", "red", "nir", "swir16", "swir22")
#: File -> our name of the sensor.
SENSORS = {"landsat5": "landsat5_tm", "landsat7": "landsat7_etm"}
_CLEAR = of(Climate.CLEAR)
_SETS = {0: of(Climate.SHADOW), 1: _CLEAR, 2: of(Climate.SNOW), 3: _CLEAR, 4: of(Climate.CLOUD)}


class TmEtmChips(Dataset):
    """Options: where the files lie, and which bands."""

    folder: Path
    """Holds `landsat5.npz`, `landsat7.npz` or both."""
    roles: tuple[str, ...] = Field(default=ROLES, min_length=1)
    """Any of `ROLES`."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if not set(roles) <= set(ROLES):
            raise ValueError(f"choose from {', '.join(ROLES)}")
        return roles

    def names(self) -> tuple[str, ...]:
        """`landsat5`, `landsat7`: those that are there."""
        return tuple(sorted(self._files()))

    def scene(self, name: str) -> str:
        """Each image is a scene of its own."""
        return name

    def fingerprint(self) -> Mapping[str, Any]:
        """Checksums of all arrays."""
        return {"files": zip_sums(self._files().values())}

    def load(self, name: str) -> Sample:
        """One image."""
        path = self._files()[name]
        try:
            with np.load(path, allow_pickle=False) as archive:
                image, codes = archive["img"], archive["msk"]
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            found = f"{type(error).__name__}: {error}"
            raise DatasetError(
                complain(path, found, "arrays img and msk", "get it again")
            ) from error
        if (*image.shape[:2], 1) != codes.shape or image.shape[2:] != (len(ROLES),):
            found = f"img {image.shape} and msk {codes.shape}"
            expected = f"(rows, columns, {len(ROLES)}) and (rows, columns, 1)"
            raise DatasetError(complain(path, found, expected, "get it again"))
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=np.stack([image[..., ROLES.index(r)] for r in self.roles], dtype=np.float32),
            roles=self.roles,
            sets=translate(codes[..., 0].astype(np.uint8), _SETS, path),
            sensor=SENSORS[name],
            level="TOA",
            metres=30.0,
            sun=None,
        )

    def _files(self) -> dict[str, Path]:
        folder = folder_of(self.folder, "landsat[57].npz", "labelled images of other sensors")
        return {file.stem: file for file in folder.glob("*.npz") if file.stem in SENSORS}


DATASET = TmEtmChips
