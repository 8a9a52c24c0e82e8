"""Any scene that a reader opens (Landsat folder or archive, SAFE) with a label raster beside it.

The samples lie on the label raster's own pixels, so labels are never resampled: the scene is read
onto them, in tiles. With `metres` (a multiple of the label's pixel) both are brought to coarser
pixels. The raster has one band of codes 0..255, a CRS equal to the scene's, square north-up
pixels, and touches the scene; without any georeference it must have the size of one of the
scene's bands. All else is an error, since a label in the wrong place is worse than none. The
licence is that of your labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.files import sums
from nndacss.datasets.tiles import counted_once, most_frequent, starts
from nndacss.errors import DatasetError, InputError, complain
from nndacss.labels.climate import SCHEME
from nndacss.labels.sets import Sets, of, translate
from nndacss.readers import identify
from nndacss.sensors import REFLECTIVE

if TYPE_CHECKING:
    from nndacss.datasets.label_raster import LabelRaster
    from nndacss.readers.scene import Scene

#: The codes of our own masks.
_OWN: dict[str, str | tuple[str, ...]] = {
    **{str(code): name for code, name in enumerate(SCHEME.classes)},
    "255": (),
}


class LabelledScene(Dataset):
    """Options: a scene, its labels and what their codes mean."""

    product: Path
    """Landsat folder or archive, or SAFE. A `.tar.gz` is read from its beginning for every window:
    unpack it first, unless it is small."""
    labels: Path
    """GeoTIFF of codes."""
    codes: dict[str, str | tuple[str, ...]] = _OWN
    """Code -> class or classes that such a pixel may be ("64" = "shadow", "128" = ["clear",
    "snow"]), [] for unlabelled. Default: the codes of this project's masks. The raster's nodata
    value is unlabelled, whatever this says."""
    metres: float = Field(default=0.0, ge=0)
    """Pixel size of the samples, a multiple of the label's; 0 means the label's."""
    roles: tuple[str, ...] = REFLECTIVE
    """Bands; those that the scene lacks are left out."""
    tile: int = Field(default=1024, ge=64)
    """Rows and columns that are read at once, pixels of the samples."""

    @field_validator("codes")
    @classmethod
    def _known(cls, codes: dict[str, Any]) -> dict[str, Any]:
        for code, meaning in codes.items():
            if not (code.isdecimal() and int(code) < 256):
                raise ValueError(f"code {code!r} is no number from 0 to 255")
            unknown = set(_classes(meaning)) - set(SCHEME.classes)
            if unknown:
                raise ValueError(f"no class {unknown.pop()!r}; {', '.join(SCHEME.classes)}")
        return codes

    def names(self) -> tuple[str, ...]:
        """Tiles, `<row>_<column>` of the upper left pixel, sorted."""
        with self._raster() as raster:
            rows, columns = raster.shape
        return tuple(
            f"{row:06d}_{column:06d}"
            for row in starts(rows, self.tile, self.tile)
            for column in starts(columns, self.tile, self.tile)
        )

    def scene(self, name: str) -> str:
        """The acquisition, the same for Level 1 and 2."""
        del name
        return identify(self.product).key

    def fingerprint(self) -> Mapping[str, Any]:
        """The product's identity, the label's sum, and the options that decide pixels."""
        if not self.labels.is_file():
            remedy = "correct `labels` of the dataset in the config"
            raise DatasetError(complain(self.labels, "no such file", "a label raster", remedy))
        return {
            "product": identify(self.product).digest,
            "labels": list(sums([self.labels]).values()),
            "tile": self.tile,
        }

    def load(self, name: str) -> Sample:
        """One tile. A tile without any label is not read from the scene: all its pixels are NaN."""
        scene = _open(self.product)
        row, column = (int(number) for number in name.split("_"))
        with self._raster(scene) as raster:
            codes, missing, grid = raster.read(row, column, self.tile)
            metres = raster.metres
        sets = self._sets(codes, missing, len(codes) // grid.shape[0])
        sets = counted_once(sets, row, column, self.tile)
        roles = tuple(role for role in self.roles if role in scene.roles)
        if not roles:
            found, expected = f"bands {', '.join(scene.roles)}", ", ".join(self.roles)
            raise DatasetError(complain(self.product, found, expected, "correct `roles`"))
        if sets.any():
            own = abs(scene.grid(roles[0]).affine.a)
            pixels = scene.read(roles, grid, "average" if metres > own else "cubic").pixels
        else:
            pixels = np.full((len(roles), *sets.shape), np.nan, dtype=np.float32)
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=roles,
            sets=sets,
            sensor=scene.sensor.name,
            level=scene.level,
            metres=metres,
            sun=(scene.sun_elevation, scene.sun_azimuth),
        )

    def _sets(self, codes: NDArray[np.uint8], missing: NDArray[np.bool_], factor: int) -> Sets:
        """Label sets at the samples' pixels."""
        classes = SCHEME.classes
        table = {
            int(code): of(*(classes.index(name) for name in _classes(meaning)))
            for code, meaning in self.codes.items()
        }
        # any known code will do where nothing is labelled
        known = np.where(missing, np.uint8(next(iter(table))), codes)
        sets = np.where(missing, np.uint16(0), translate(known, table, self.labels))
        return most_frequent(sets.astype(np.uint16), factor)

    def _raster(self, scene: Scene | None = None) -> LabelRaster:
        from nndacss.datasets.label_raster import LabelRaster

        return LabelRaster(self.labels, scene or _open(self.product), self.metres)


def _classes(meaning: str | tuple[str, ...]) -> tuple[str, ...]:
    return (meaning,) if isinstance(meaning, str) else tuple(meaning)


def _open(product: Path) -> Scene:
    from nndacss.datasets.label_raster import opened

    try:
        return opened(product)
    except InputError as error:
        raise DatasetError(str(error)) from error


DATASET = LabelledScene
