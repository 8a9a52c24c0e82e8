"""What all scenes of band files share: any band by role, on any grid, warped once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import GridError, complain
from nndacss.raster import Raster
from nndacss.readers.layers import Layer
from nndacss.readers.windows import describe, needed, put_codes, read_pixels
from nndacss.tile.warp import Kernel


class LayeredScene:
    """The part of a `Scene` that needs nothing but a layer per role."""

    def _layer(self, role: str) -> Layer:
        """The layer of a band; BandError where there is none."""
        raise NotImplementedError

    def grid(self, role: str) -> GeoBox:
        """The band's own pixel plane."""
        return self._layer(role).grid

    def read(
        self, roles: Sequence[str], grid: GeoBox | None = None, kernel: Kernel = "cubic"
    ) -> Raster:
        """Calibrated bands on `grid`, each warped once from its own georeference."""
        layers = [self._layer(role) for role in roles]
        if grid is None:
            grid = self._shared_grid(roles)
        pixels = np.empty((len(layers), *grid.shape), dtype=np.float32)
        left = list(range(len(layers)))
        while left:
            # bands of one grid go together: a general warp then computes coordinates once
            alike = [index for index in left if layers[index].grid == layers[left[0]].grid]
            pixels[alike] = read_pixels([layers[index] for index in alike], grid, kernel)
            left = [index for index in left if index not in alike]
        return Raster(pixels, grid, tuple(roles))

    def present(self, roles: Sequence[str], grid: GeoBox | None = None) -> NDArray[np.bool_]:
        """(rows, columns): True where the pixels that hold the centre have data in all `roles`."""
        grid = self._shared_grid(roles) if grid is None else grid
        result = np.ones(grid.shape, dtype=np.bool_)
        for role in roles:
            layer = self._layer(role)
            window = needed(layer.grid, grid)
            there = (~layer.missing(layer.window(*window))).astype(np.uint8)
            result &= put_codes(there, layer.grid, window, grid, 0) == 1
        return result

    def _shared_grid(self, roles: Sequence[str]) -> GeoBox:
        """The own grid of `roles`, which must share it."""
        if not roles:
            raise GridError("no band was asked for; name at least one role")
        grids = [self.grid(role) for role in roles]
        for role, grid in zip(roles, grids, strict=True):
            if grid != grids[0]:
                found = f"{describe(grid)}, other than {roles[0]}"
                raise GridError(complain(role, found, "bands of one grid", "give a grid"))
        return grids[0]
