"""Parts of Landsat scenes or SAFE products in which a person saw neither cloud nor shadow.

Nothing else is labelled in them: ground of other places, levels and seasons, for what is painted
on it (`train.paint`) and so that what only looks like shadow (burnt ground, lava, dark water) is
met without clouds. Every pixel with data is {clear}, or {clear, snow} with `maybe_snow`. All bands
are brought to the pixels of the coarsest one: 30 m for Landsat, 20 m for Sentinel-2. The licence
is that of the products; those of the USGS are in the public domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_validator

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.tiles import counted_once, starts
from nndacss.errors import DatasetError, InputError, complain
from nndacss.labels.climate import Climate
from nndacss.labels.sets import of
from nndacss.readers import identify
from nndacss.sensors import REFLECTIVE

if TYPE_CHECKING:
    from odc.geo.geobox import GeoBox

    from nndacss.readers.scene import Scene

Window = tuple[int, int, int, int]


class CloudlessScenes(Dataset):
    """Options: where the products lie, and which parts of them are cloudless."""

    folder: Path
    """Holds the products: folders or archives. A `.tar.gz` is read from its beginning for every
    tile: unpack it first, unless it is small."""
    windows: dict[str, Window] = Field(min_length=1)
    """Name of a product in `folder` -> first row, row after the last, first column, column after
    the last, in pixels of the coarsest of `roles`."""
    maybe_snow: bool = False
    """Whether snow may lie there."""
    roles: tuple[str, ...] = Field(default=REFLECTIVE, min_length=1)
    """Bands; a product must have them all."""
    tile: int = Field(default=1024, ge=64)
    """Rows and columns that are read at once."""

    @field_validator("windows")
    @classmethod
    def _rising(cls, windows: dict[str, Window]) -> dict[str, Window]:
        for name, (top, bottom, left, right) in windows.items():
            if not (0 <= top < bottom and 0 <= left < right):
                raise ValueError(f"{name}: rows {top} to {bottom}, columns {left} to {right}")
        return windows

    def names(self) -> tuple[str, ...]:
        """Tiles, `<product>_<row>_<column>` of their upper left pixel, sorted."""
        return tuple(sorted(self._tiles()))

    def scene(self, name: str) -> str:
        """The acquisition, the same for Level 1 and 2."""
        return identify(self._product(self._tiles()[name][0])).key

    def fingerprint(self) -> Mapping[str, Any]:
        """The products' identities."""
        return {name: identify(self._product(name)).digest for name in sorted(self.windows)}

    def load(self, name: str) -> Sample:
        """One tile; DatasetError for a product that cannot be read, or is smaller."""
        from nndacss.datasets.label_raster import opened

        product, row, column = self._tiles()[name]
        path = self._product(product)
        top, bottom, left, right = self.windows[product]
        try:
            scene = opened(path)
            plane = self._plane(scene, path)
            rows = slice(top + row, min(top + row + self.tile, bottom))
            columns = slice(left + column, min(left + column + self.tile, right))
            if bottom > plane.shape[0] or right > plane.shape[1]:
                found = f"a window up to row {bottom} and column {right}"
                expected = f"one inside its {plane.shape[0]} x {plane.shape[1]} pixels"
                raise DatasetError(complain(path, found, expected, "correct `windows`"))
            pixels = scene.read(self.roles, plane[rows, columns], "average").pixels
        except InputError as error:
            raise DatasetError(str(error)) from error
        label = of(Climate.CLEAR, Climate.SNOW) if self.maybe_snow else of(Climate.CLEAR)
        sets = np.where(np.isnan(pixels).any(axis=0), 0, label).astype(np.uint16)
        return Sample(
            name=name,
            scene=self.scene(name),
            pixels=pixels,
            roles=self.roles,
            sets=counted_once(sets, row, column, self.tile),
            sensor=scene.sensor.name,
            level=scene.level,
            metres=abs(float(plane.affine.a)),
            sun=(scene.sun_elevation, scene.sun_azimuth),
        )

    def _plane(self, scene: Scene, path: Path) -> GeoBox:
        """The grid of the coarsest band; DatasetError where one is missing."""
        if missing := [role for role in self.roles if role not in scene.roles]:
            expected = ", ".join(self.roles)
            found = f"no band {missing[0]}"
            raise DatasetError(complain(path, found, expected, "correct `roles`"))
        grids = [scene.grid(role) for role in self.roles]
        return max(grids, key=lambda grid: float(grid.affine.a))

    def _product(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            remedy = "correct `folder` or `windows` of the dataset in the config"
            raise DatasetError(complain(path, "nothing", "a product", remedy))
        return path

    def _tiles(self) -> dict[str, tuple[str, int, int]]:
        """Name -> product, and where the tile starts in its window."""
        found = {}
        for name, (top, bottom, left, right) in self.windows.items():
            stem = name.removesuffix(".gz").removesuffix(".tar")
            for row in starts(bottom - top, self.tile, self.tile):
                for column in starts(right - left, self.tile, self.tile):
                    found[f"{stem}_{top + row:06d}_{left + column:06d}"] = (name, row, column)
        return found


DATASET = CloudlessScenes
