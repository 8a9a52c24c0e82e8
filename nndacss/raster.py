"""Pixels dressed: band roles, grid and validity travel with the numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import GridError

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Raster:
    """A few bands on one grid."""

    pixels: Pixels
    """(bands, rows, columns) float32; reflectance (1.0 = 100 %) or kelvin; NaN where missing."""
    grid: GeoBox
    """Pixel plane and CRS; `grid.shape` equals the last two axes of `pixels`."""
    roles: tuple[str, ...]
    """One role a band, in order."""

    def __post_init__(self) -> None:
        expected = (len(self.roles), *self.grid.shape)
        if self.pixels.shape != expected:
            raise GridError(f"pixels are {self.pixels.shape}; expected {expected}, roles and grid")

    def band(self, role: str) -> Pixels:
        """One band, (rows, columns)."""
        band: Pixels = self.pixels[self.roles.index(role)]
        return band

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(rows, columns): True where no band is missing."""
        return np.asarray(~np.isnan(self.pixels).any(axis=0))
