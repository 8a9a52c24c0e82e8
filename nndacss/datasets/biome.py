"""L8 Biome: 96 whole Landsat-8 scenes of eight biomes, with masks drawn by USGS analysts.

A folder a scene (`BC/LC80010112014080LGN00/` in the archives), in any folder, holding the Level-1T
product of before the collections as the USGS delivered it (`_B1.TIF` to `_B11.TIF`, `_BQA.TIF`,
`_MTL.txt`) and `<scene>_fixedmask.img` with `.hdr` (ENVI, one byte a pixel, on the pixels of the
30 m bands). Codes: 0 fill, 64 shadow, 128 clear, 192 thin cloud, 255 cloud.

Shadows were drawn only in some scenes (about a third), snow is never told: "clear" is {clear, snow}
in a scene with code 64 and {clear, shadow, snow} in one without. Reflectance at the top of the
atmosphere by the scene's metadata. Scenes are large, so a sample is a tile of one.

USGS 2016, L8 Biome Cloud Validation Masks, doi:10.5066/F7251GDH: public domain. Foga et al. 2017,
Cloud detection algorithm comparison and validation for operational Landsat data products, Remote
Sensing of Environment 194, 379-390.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from nndacss.datasets import Dataset, Sample
from nndacss.datasets.archives import found_in
from nndacss.datasets.biome_chips import SHADOW, to_sets
from nndacss.datasets.biome_scenes import ARCHIVES
from nndacss.datasets.envi import Envi, envi
from nndacss.datasets.files import folder_of, sums
from nndacss.datasets.tiles import counted_once, starts
from nndacss.datasets.wrs2 import SplitBy, acquisition
from nndacss.errors import DatasetError, InputError, complain
from nndacss.labels.sets import Sets
from nndacss.readers.landsat.identity import load
from nndacss.readers.scene import SceneIdentity
from nndacss.sensors import REFLECTIVE

if TYPE_CHECKING:
    from nndacss.readers.scene import Scene

__all__ = ["ARCHIVES", "DATASET", "Biome"]

_MASK = "_fixedmask.img"


class Biome(Dataset):
    """Options: where the scenes lie, which of them, which bands, how they are cut and split."""

    folder: Path
    """Holds the folders of the scenes, at any depth."""
    scenes: tuple[str, ...] = ()
    """Ids of those to use; none means all."""
    roles: tuple[str, ...] = REFLECTIVE
    """Bands, of any role that Landsat-8 reflectance has but pan (which has other pixels)."""
    tile: int = Field(default=1024, ge=64)
    """Rows and columns that are read at once."""
    split_by: SplitBy = "scene"
    """`path_row` keeps all dates of a place together."""

    def names(self) -> tuple[str, ...]:
        """Tiles, `<scene>_<row>_<column>` of the upper left pixel, sorted."""
        found = []
        for scene, path in self._masks().items():
            rows, columns = envi(path).shape
            found += [
                f"{scene}_{row:06d}_{column:06d}"
                for row in starts(rows, self.tile, self.tile)
                for column in starts(columns, self.tile, self.tile)
            ]
        return tuple(found)

    def scene(self, name: str) -> str:
        """The acquisition, or its place, e.g. `landsat-8 001011 2014-03-21`."""
        return acquisition(name, self.folder).group(self.split_by)

    def fingerprint(self) -> Mapping[str, Any]:
        """Each product's identity, each mask's sum, and the options that decide pixels.

        DatasetError where a mask has not the size that its scene's metadata state.
        """
        masks = self._masks()
        return {
            "products": {scene: _identity(path).digest for scene, path in masks.items()},
            "masks": sums(masks.values()),
            "roles": self.roles,
            "tile": self.tile,
        }

    def load(self, name: str) -> Sample:
        """One tile. A tile without any label is not read from the scene: all its pixels are NaN."""
        identifier, row, column = name.rsplit("_", 2)
        mask = envi(self._masks()[identifier])
        scene = _opened(mask.path.parent)
        absent = [role for role in self.roles if role not in scene.roles or role == "pan"]
        if absent:
            expected = ", ".join(role for role in scene.roles if role != "pan")
            raise DatasetError(
                complain(mask.path.parent, f"no {absent[0]}", expected, "correct `roles`")
            )
        return Sample(
            name=name,
            scene=self.scene(name),
            roles=self.roles,
            sensor=scene.sensor.name,
            level=scene.level,
            metres=30.0,
            sun=(scene.sun_elevation, scene.sun_azimuth),
            **self._cut(scene, mask, int(row), int(column)),
        )

    def _cut(self, scene: Scene, mask: Envi, row: int, column: int) -> dict[str, Any]:
        """Pixels and sets of one tile."""
        grid = scene.grid(self.roles[0])
        if tuple(grid.shape) != mask.shape:
            found = f"{mask.shape[0]} x {mask.shape[1]} pixels"
            expected = f"{grid.shape[0]} x {grid.shape[1]}, the size of the bands"
            raise DatasetError(complain(mask.path, found, expected, "get the scene again"))
        place = np.s_[row : row + self.tile, column : column + self.tile]
        sets = _sets(mask, place)
        sets = counted_once(sets, row, column, self.tile)
        if sets.any():
            pixels = scene.read(self.roles, grid[place]).pixels
        else:
            pixels = np.full((len(self.roles), *sets.shape), np.nan, dtype=np.float32)
        return {"pixels": pixels, "sets": sets}

    def _masks(self) -> dict[str, Path]:
        """Scene id -> its mask, sorted."""
        folder = folder_of(self.folder, f"**/*{_MASK}", "scenes of L8 Biome (FetchDataset)")
        masks: dict[str, Path] = {}
        for path in found_in(folder, f"*{_MASK}"):
            scene = path.name.removesuffix(_MASK)
            if scene in masks:
                found = f"{scene} twice, also in {masks[scene].parent}"
                raise DatasetError(complain(path, found, "once", "remove one of them"))
            masks[scene] = path
        absent = [scene for scene in self.scenes if scene not in masks]
        if absent:
            found = f"no {absent[0]}{_MASK}"
            remedy = "correct `scenes`, or run FetchDataset --kind biome"
            raise DatasetError(complain(self.folder, found, ", ".join(self.scenes), remedy))
        return {scene: masks[scene] for scene in sorted(self.scenes or masks)}


def _sets(mask: Envi, place: tuple[slice, slice]) -> Sets:
    """Label sets of a tile; what "clear" is depends on the whole scene."""
    marked = _shadow_drawn(mask, _stamp(mask.path))
    return to_sets(np.asarray(mask.pixels()[place]), mask.path, marked=marked)


@lru_cache(maxsize=4)
def _shadow_drawn(mask: Envi, stamp: tuple[int, int]) -> bool:  # noqa: ARG001
    """Whether any pixel of the scene is shadow; `stamp` only keeps the cache honest."""
    return any(bool((line == SHADOW).any()) for line in mask.pixels())


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _identity(mask: Path) -> SceneIdentity:
    """The product beside a mask, whose size must be the mask's."""
    try:
        _, metadata, identity = load(mask.parent)
    except InputError as error:
        raise DatasetError(str(error)) from error
    plane, shape = metadata.planes.get("REFLECTIVE"), envi(mask).shape
    if plane is not None and (plane.lines, plane.samples) != shape:
        found = f"{shape[0]} x {shape[1]} pixels"
        expected = f"{plane.lines} x {plane.samples}, as {metadata.source} states"
        raise DatasetError(complain(mask, found, expected, "get the scene again"))
    return identity


def _opened(folder: Path) -> Scene:
    from nndacss.datasets.label_raster import opened

    try:
        return opened(folder)
    except InputError as error:
        raise DatasetError(str(error)) from error


DATASET = Biome
