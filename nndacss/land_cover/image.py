"""What is mapped: a Sentinel-2 scene or a product of ours, alike.

Both know `name` (the agency's id of the scene), `level`, `acquired`, `platform`, `origin` (who
observed, and whether it is simulated), `kind` (what it is, in words), `hides` (by what hidden
ground is known, in words; empty where it is not), `sun_elevation` (degrees), `roles`, and `grid`,
their own 10 m pixels. Both are safe to use from several threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from nndacss.errors import BandError, complain
from nndacss.harmonize.result import NODATA, SCALE
from nndacss.labels.climate import Climate
from nndacss.land_cover.plan import bands_of_item, product_item
from nndacss.product.quicklook import TRUE, scene_view, small
from nndacss.raster import Pixels
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.readers.windows import needed, put_codes
from nndacss.tile.warp import source_window, warp

Where = NDArray[np.bool_]


@dataclass(frozen=True)
class SceneImage:
    """A Sentinel-2 scene; coarser bands are brought to 10 m by cubic convolution."""

    scene: Scene
    kind: str = "Sentinel-2 scene"

    @property
    def name(self) -> str:
        """Product id."""
        return self.scene.identity.name

    @property
    def level(self) -> str:
        """`TOA` or `SR`."""
        return self.scene.level

    @property
    def acquired(self) -> datetime:
        """UTC."""
        return self.scene.identity.acquired

    @property
    def platform(self) -> str:
        """E.g. `sentinel-2a`."""
        return self.scene.platform

    @property
    def origin(self) -> str:
        """As the metadata say."""
        return self.scene.origin

    @property
    def hides(self) -> str:
        """Its scene classification, where it has one."""
        there = self.scene.quality(self.grid[:1, :1]) is not None
        return f"the scene's {self.scene.quality_name}" if there else ""

    @property
    def sun_elevation(self) -> float:
        """At the scene's centre."""
        return self.scene.sun_elevation

    @property
    def roles(self) -> tuple[str, ...]:
        """All of its bands."""
        return self.scene.roles

    @property
    def grid(self) -> GeoBox:
        """That of the red band."""
        return self.scene.grid("red")

    def read(self, roles: Sequence[str], rows: slice, columns: slice) -> Pixels:
        """(bands, rows, columns) reflectance of a window of `grid`, NaN where missing."""
        return self.scene.read(roles, self.grid[rows, columns]).pixels

    def hidden(self, grid: GeoBox) -> Where:
        """(rows, columns) of any grid: True under cloud, cirrus or cloud shadow.

        Nowhere where the scene has no classification.
        """
        flags = self.scene.quality_flags(grid)
        if flags is None:
            return np.zeros(grid.shape, dtype=np.bool_)
        return flags.cloud | flags.cirrus | flags.shadow

    def colours(self, grid: GeoBox) -> Pixels:
        """(3, rows, columns) red, green, blue on a coarse grid."""
        return scene_view(self.scene, TRUE, grid)


class ProductImage:
    """A product of AdaptScene: its reflectance, its mask."""

    def __init__(self, folder: Path) -> None:
        """BandError where its files cannot be read, InputError where it is no such product."""
        item: Any = product_item(folder)
        properties, assets = item["properties"], item["assets"]
        self.name: str = properties["nndacss:source_product"]
        self.level: str = properties["nndacss:level"]
        self.acquired = datetime.fromisoformat(properties["datetime"])
        self.platform: str = properties["platform"]
        self.origin: str = properties.get("nndacss:origin", "")
        self.kind = f"Adapted product {item['id']}"
        self.hides = "the product's mask"
        self.sun_elevation: float = properties["view:sun_elevation"]
        self.roles = bands_of_item(item)
        self._image = folder / assets["reflectance"]["href"]
        self._mask = folder / assets["mask"]["href"]
        try:
            with rasterio.open(self._image) as raster, rasterio.open(self._mask):
                self.grid = GeoBox.from_rio(raster)
        except RasterioIOError as error:
            raise self._damaged(error) from error

    def read(self, roles: Sequence[str], rows: slice, columns: slice) -> Pixels:
        """As `SceneImage` has it."""
        window = Window.from_slices(rows, columns)
        return self._reflectance(roles, window=window)

    def hidden(self, grid: GeoBox) -> Where:
        """As `SceneImage` has it."""
        rows, columns = needed(self.grid, grid)
        window = Window.from_slices(rows, columns)
        try:
            with rasterio.open(self._mask, sharing=False) as raster:
                codes = raster.read(1, window=window)
        except RasterioIOError as error:
            raise self._damaged(error) from error
        there = put_codes(codes, self.grid, (rows, columns), grid, Climate.NODATA)
        return np.isin(there, (Climate.CLOUD, Climate.SHADOW))

    def colours(self, grid: GeoBox) -> Pixels:
        """As `SceneImage` has it."""
        at = source_window(self.grid, grid, margin=1)
        piece = self.grid[at]
        coarse = small(piece)
        how = {"out_shape": (len(TRUE), *coarse.shape), "resampling": Resampling.average}
        pixels = self._reflectance(TRUE, window=Window.from_slices(*at), **how)
        return warp(pixels, coarse, grid, "bilinear")

    def _reflectance(self, roles: Sequence[str], **how: Any) -> Pixels:
        indexes = [self.roles.index(role) + 1 for role in roles]
        try:
            with rasterio.open(self._image, sharing=False) as raster:
                counts = raster.read(indexes, **how)
        except RasterioIOError as error:
            raise self._damaged(error) from error
        pixels = counts.astype(np.float32) * np.float32(SCALE)
        return np.where(counts == NODATA, np.float32(np.nan), pixels)

    def _damaged(self, error: Exception) -> BandError:
        remedy = "make the product again"
        return BandError(complain(self._image, str(error), "a whole product", remedy))


Image = SceneImage | ProductImage
"""What can be mapped."""


def open_image(place: Path, product: bool) -> Image:
    """The product folder, or the scene, at `place`."""
    return ProductImage(place) if product else SceneImage(open_scene(place))
