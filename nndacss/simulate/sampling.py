"""From a continuous ground to pixels: the mean over each square.

Landsat's two grids share the centre of their upper left pixel, so pan pixel 2i lies under pixel i
and pan has one row and one column less than twice as many. Samples lie `STEP` metres apart such
that both grids are exact means of them:

    30 m pixel i:   samples 4i .. 4i+3        15 m pixel j:   samples 2j+1, 2j+2

Sentinel-2's grids of 10, 20 and 60 m share their upper left edges; samples lie 5 m apart, two by
two in a 10 m pixel, and coarser pixels are means of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from nndacss.simulate.landscape import Ground
from nndacss.simulate.noise import Coordinates, Field, Indices

#: Metres between samples: two by two in a pan pixel, four by four in a 30 m pixel.
STEP = 7.5

#: Metres from north to south sampled at once, so that the working set stays small.
_STRIP = 960.0


@dataclass(frozen=True)
class Grid:
    """The coarsest pixels of a scene (30 m, or 60 m of Sentinel-2); finer ones follow from them."""

    west: float
    north: float
    """Outer edges of the upper left pixel, metres."""
    rows: int
    columns: int
    epsg: int
    metres: float = 30.0

    @property
    def pan_shape(self) -> tuple[int, int]:
        """Rows and columns of the 15 m grid."""
        return 2 * self.rows - 1, 2 * self.columns - 1

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges (west, south, east, north), metres."""
        south, east = self.north - self.metres * self.rows, self.west + self.metres * self.columns
        return self.west, south, east, self.north

    def corner(self, window: Window, fine: int = 1) -> tuple[int, int]:
        """Row and column of a window's first pixel from the map's origin, `fine` to a pixel."""
        row = floor(-self.north / self.metres) + window.top
        return fine * row, fine * (floor(self.west / self.metres) + window.left)


@dataclass(frozen=True)
class Window:
    """A block of a grid's pixels: rows from `top` to before `bottom`, columns likewise."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, margin: int) -> Window:
        """The window with `margin` more pixels on every side."""
        return Window(
            self.top - margin, self.bottom + margin, self.left - margin, self.right + margin
        )


def centres(grid: Grid, window: Window, fine: int = 1) -> tuple[Coordinates, Coordinates]:
    """Map x (1, columns) and y (rows, 1) of pixel centres, `fine` by `fine` to a grid's pixel."""
    columns = np.arange(fine * window.left, fine * window.right)
    rows = np.arange(fine * window.top, fine * window.bottom)
    return _places(grid, grid.metres / fine, columns, rows, 0.5)


def pan_centres(grid: Grid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Map x (1, columns) and y (rows, 1) of the 15 m pixels that belong to a window."""
    right = 2 * window.right - (window.right == grid.columns)
    bottom = 2 * window.bottom - (window.bottom == grid.rows)
    columns, rows = np.arange(2 * window.left, right), np.arange(2 * window.top, bottom)
    return _places(grid, 15.0, columns, rows, 1.0)


def _places(
    grid: Grid, step: float, columns: Indices, rows: Indices, offset: float
) -> tuple[Coordinates, Coordinates]:
    """Map x and y of `step` metres times (number + offset) from the upper left edge."""
    x = grid.west + step * (columns.astype(np.float64) + offset)
    y = grid.north - step * (rows.astype(np.float64) + offset)
    return x[None, :], y[:, None]


def area_means(
    ground: Ground, grid: Grid, window: Window, roles: Sequence[str]
) -> tuple[Field, Field]:
    """`roles` on the 30 m pixels of a window (bands, rows, columns), and pan on its 15 m pixels."""
    exact = getattr(ground, "mean", None)
    if exact is not None:
        coarse: Field = exact(*centres(grid, window), 30.0, roles)
        return coarse, exact(*pan_centres(grid, window), 15.0, ("pan",))[0]
    x, y = pan_centres(grid, window)
    coarse = np.empty(
        (len(roles), window.bottom - window.top, window.right - window.left), dtype=np.float32
    )
    pan = np.empty((y.size, x.size), dtype=np.float32)
    for part in _strips(grid, window):
        at = slice(part.top - window.top, part.bottom - window.top)
        fine_at = slice(2 * at.start, 2 * at.stop)
        _sampled(ground, grid, part, roles, coarse[:, at], pan[fine_at])
    return coarse, pan


def tens(ground: Ground, grid: Grid, window: Window, roles: Sequence[str]) -> Field:
    """`roles` on the 10 m pixels of a window of 60 m pixels: (bands, 6 rows, 6 columns)."""
    exact = getattr(ground, "mean", None)
    x, y = centres(grid, window, 6)
    if exact is not None:
        known: Field = exact(x, y, 10.0, roles)
        return known
    means = np.empty((len(roles), y.size, x.size), dtype=np.float32)
    for part in _strips(grid, window):
        first = 6 * (part.top - window.top)
        samples = ground.reflectance(*centres(grid, part, 12), roles)
        for out, band in zip(means, samples, strict=True):
            rows = out[first : first + 6 * (part.bottom - part.top)]
            np.multiply(_sums(band, 2), np.float32(1 / 4), out=rows)
    return means


def coarser(field: Field, size: int) -> Field:
    """(bands, rows, columns) to means over squares of `size` pixels."""
    if size == 1:
        return field
    return np.stack([_sums(band, size) for band in field]) * np.float32(1 / size**2)


def _strips(grid: Grid, window: Window) -> list[Window]:
    """A window in pieces from north to south."""
    step = round(_STRIP / grid.metres)
    return [
        Window(top, min(top + step, window.bottom), window.left, window.right)
        for top in range(window.top, window.bottom, step)
    ]


def _sampled(
    ground: Ground, grid: Grid, window: Window, roles: Sequence[str], coarse: Field, pan: Field
) -> None:
    """Fill both outputs from one set of samples."""
    columns = np.arange(4 * window.left, 4 * window.right + 1)
    rows = np.arange(4 * window.top, 4 * window.bottom + 1)
    x, y = _places(grid, STEP, columns, rows, 0.5)
    samples = ground.reflectance(x, y, (*roles, "pan"))
    for out, band in zip(coarse, samples, strict=False):
        np.multiply(_sums(band[:-1, :-1], 4), np.float32(1 / 16), out=out)
    np.multiply(
        _sums(samples[-1, 1:, 1:], 2)[: pan.shape[0], : pan.shape[1]], np.float32(1 / 4), out=pan
    )


def _sums(band: Field, size: int) -> Field:
    """Sums over squares of `size` samples, in one fixed order."""
    rows, columns = (length // size * size for length in band.shape)
    down = band[0:rows:size].copy()
    for n in range(1, size):
        down += band[n:rows:size]
    total = down[:, 0:columns:size].copy()
    for n in range(1, size):
        total += down[:, n:columns:size]
    return total
