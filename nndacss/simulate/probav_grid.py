"""Where the pixels of Proba-V's products lie, and Landsat's 30 m lattice below them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Self

import numpy as np

from nndacss.errors import SettingsError, complain
from nndacss.simulate.noise import Coordinates
from nndacss.simulate.sampling import Grid, Window

#: Product -> how many 100 m pixels a side its pixel holds; and 100 m pixels to a degree.
FINE: Mapping[str, int] = {"100M": 1, "333M": 3, "1KM": 9}
PER_DEGREE = 1008


@dataclass(frozen=True)
class PlateCarree:
    """A product's pixels: whole multiples of its pixel from 0 degrees east and north."""

    left: int
    top: int
    """Number of the first column from 0 degrees east, and of the first row from the equator
    southwards: northern products have a negative one."""
    rows: int
    columns: int
    product: str = "333M"

    def __post_init__(self) -> None:
        if self.product not in FINE:
            expected = " or ".join(FINE)
            raise SettingsError(complain("product", repr(self.product), expected, "choose one"))

    @property
    def fine(self) -> int:
        """100 m pixels a side of a pixel."""
        return FINE[self.product]

    @property
    def step(self) -> float:
        """Degrees."""
        return self.fine / PER_DEGREE

    @property
    def west(self) -> float:
        """Outer edge of the first column, degrees."""
        return self.left * self.step

    @property
    def north(self) -> float:
        """Outer edge of the first row, degrees."""
        return -self.top * self.step

    @classmethod
    def inside(cls, bounds: tuple[float, float, float, float], epsg: int, product: str) -> Self:
        """The whole pixels inside a rectangle (west, south, east, north) of a map, metres."""
        from pyproj import Transformer

        west, south, east, north = bounds
        to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
        x, y = np.linspace(west, east, 21), np.linspace(south, north, 21)
        sides = [(x[:1], y), (x[-1:], y), (x, y[:1]), (x, y[-1:])]
        left, right, below, above = (
            np.array(to_degrees.transform(x + 0 * y, y + 0 * x)) for x, y in sides
        )
        step = FINE[product] / PER_DEGREE if product in FINE else 1.0
        first = ceil(left[0].max() / step), ceil(-above[1].min() / step)
        last = floor(right[0].min() / step), floor(-below[1].max() / step)
        return cls(first[0], first[1], last[1] - first[1], last[0] - first[0], product)

    def places(self, window: Window, epsg: int) -> tuple[Coordinates, Coordinates]:
        """Map x and y, (rows, columns) each, of the 100 m pixels of a window of pixels, metres."""
        from pyproj import Transformer

        columns = self.fine * self.left + np.arange(
            self.fine * window.left, self.fine * window.right
        )
        rows = self.fine * self.top + np.arange(self.fine * window.top, self.fine * window.bottom)
        grid = np.meshgrid((columns + 0.5) / PER_DEGREE, -(rows + 0.5) / PER_DEGREE)
        x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(*grid)
        return np.asarray(x), np.asarray(y)

    def corner(self, window: Window) -> tuple[int, int]:
        """Row and column of a window's first 100 m pixel, counted from 0 degrees."""
        return self.fine * (self.top + window.top), self.fine * (self.left + window.left)


def lattice_around(grid: PlateCarree, epsg: int) -> Grid:
    """Landsat's 30 m pixels (edges at 30 k + 15 metres) from the product's north-western corner."""
    whole = Window(0, grid.rows, 0, grid.columns)
    x, y = grid.places(whole, epsg)
    west, north = (30.0 * floor((edge - 15) / 30) + 15 for edge in (x.min(), y.max() + 30))
    rows, columns = ceil((north - y.min()) / 30) + 1, ceil((x.max() - west) / 30) + 1
    return Grid(west, north, rows, columns, epsg)
