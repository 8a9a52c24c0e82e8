"""A label raster and the grid its samples lie on. Imports rasterio: only from inside `load`."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from nndacss.errors import DatasetError, LossWarning, complain
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene

_WARP = "bring it to the scene with gdalwarp -r near, or label that scene again"


@lru_cache(maxsize=2)
def opened(product: Path) -> Scene:
    """The scene, opened once a process."""
    with warnings.catch_warnings():
        # a missing pan band or angle file is no loss here
        warnings.simplefilter("ignore", LossWarning)
        return open_scene(product)


class LabelRaster:
    """An opened label raster, checked against its scene; close it, or use it in a `with`."""

    def __init__(self, path: Path, scene: Scene, metres: float) -> None:
        self.path = path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            try:
                self._raster = rasterio.open(path)
            except RasterioError as error:
                expected = "a GeoTIFF of label codes"
                raise DatasetError(complain(path, str(error), expected, "check it")) from error
        try:
            self._check_codes()
            self._full = self._grid(scene)
            self._factor = self._whole_factor(metres)
        except DatasetError:
            self._raster.close()
            raise
        self.metres = abs(float(self._full.affine.a)) * self._factor
        """Pixel size of the samples."""
        rows, columns = self._full.shape
        self.shape = (rows // self._factor, columns // self._factor)
        """Rows and columns of the samples' grid."""

    def read(
        self, row: int, column: int, side: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], GeoBox]:
        """Codes, where they are nodata, and the grid of the samples.

        The tile starts at a pixel of the samples; its codes are `factor` times finer.
        """
        k = self._factor
        rows, columns = min(side, self.shape[0] - row), min(side, self.shape[1] - column)
        try:
            window = Window(column * k, row * k, columns * k, rows * k)
            codes = self._raster.read(1, window=window)
        except RasterioError as error:
            remedy = "get the file again"
            raise DatasetError(complain(self.path, str(error), "whole data", remedy)) from error
        nodata = self._raster.nodata
        missing = np.zeros(codes.shape, bool) if nodata is None else codes == nodata
        move = Affine.translation(column * k, row * k) @ Affine.scale(k)
        grid = GeoBox((rows, columns), self._full.affine @ move, self._full.crs)
        return self._bytes(codes, missing), missing, grid

    def __enter__(self) -> LabelRaster:
        return self

    def __exit__(self, *_: object) -> None:
        self._raster.close()

    def _bytes(self, codes: NDArray[np.generic], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
        known = np.where(missing, 0, codes)
        if known.size and (known.min() < 0 or known.max() > 255):
            found = f"label codes from {known.min()} to {known.max()}"
            raise DatasetError(complain(self.path, found, "codes 0 to 255", "recode it"))
        return known.astype(np.uint8)

    def _check_codes(self) -> None:
        raster = self._raster
        if raster.count != 1 or not np.issubdtype(raster.dtypes[0], np.integer):
            found = f"{raster.count} bands of {raster.dtypes[0]}"
            raise DatasetError(complain(self.path, found, "one band of whole numbers", _WARP))

    def _grid(self, scene: Scene) -> GeoBox:
        """The raster's own grid; the scene's where it has none but fits."""
        raster, own = self._raster, scene.grid(scene.roles[0])
        shape = (raster.height, raster.width)
        if raster.crs is None:
            fitting = [scene.grid(role) for role in scene.roles if scene.grid(role).shape == shape]
            if not fitting:
                sizes = {tuple(scene.grid(role).shape) for role in scene.roles}
                found = f"{shape[0]} x {shape[1]} pixels and no CRS"
                expected = "a CRS, or the size of a band: " + ", ".join(
                    f"{rows} x {columns}" for rows, columns in sorted(sizes)
                )
                raise DatasetError(complain(self.path, found, expected, _WARP))
            return fitting[0]
        grid = GeoBox(shape, raster.transform, raster.crs)
        if grid.crs != own.crs:
            raise DatasetError(complain(self.path, _crs(grid), _crs(own), _WARP))
        step = grid.affine
        if step.b or step.d or step.a <= 0 or abs(step.a + step.e) > 1e-6 * step.a:
            found = f"pixels of {step.a:g} x {step.e:g}, sheared by {step.b:g}, {step.d:g}"
            raise DatasetError(complain(self.path, found, "square, north up", _WARP))
        if not grid.extent.overlaps(own.extent) and not grid.extent.intersects(own.extent):
            found = f"labels at {_bounds(grid)}"
            raise DatasetError(complain(self.path, found, f"the scene's {_bounds(own)}", _WARP))
        return grid

    def _whole_factor(self, metres: float) -> int:
        pixel = abs(float(self._full.affine.a))
        factor = max(1, round(metres / pixel))
        if metres and abs(factor * pixel - metres) > 1e-6 * metres:
            found = f"metres = {metres:g} for labels of {pixel:g} m"
            expected = f"a multiple of {pixel:g}"
            raise DatasetError(complain(self.path, found, expected, "correct `metres`"))
        return factor


def _bounds(grid: GeoBox) -> str:
    box = grid.boundingbox
    return f"{box.left:.0f}, {box.bottom:.0f}, {box.right:.0f}, {box.top:.0f}"


def _crs(grid: GeoBox) -> str:
    return f"EPSG:{grid.crs.epsg}" if grid.crs and grid.crs.epsg else f"CRS {grid.crs}"
