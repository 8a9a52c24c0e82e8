"""From a continuous ground to pixels: the mean over each 30 m and each 15 m square.

The two grids share the centre of their upper left pixel, so pan pixel 2i lies under pixel i and
pan has one row and one column less than twice as many. Samples lie `STEP` metres apart such that
both grids are exact means of them:

    30 m pixel i:   samples 4i .. 4i+3        15 m pixel j:   samples 2j+1, 2j+2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndacss.simulate.landscape import Ground
from nndacss.simulate.noise import Coordinates, Field, Indices

#: Metres between samples: two by two in a pan pixel, four by four in a 30 m pixel.
STEP = 7.5

#: Rows of 30 m pixels sampled at once, so that the working set stays small.
_ROWS = 32


@dataclass(frozen=True)
class Grid:
    """The 30 m pixels of a scene; 15 m pixels follow from them."""

    west: float
    north: float
    """Outer edges of the upper left 30 m pixel, metres."""
    rows: int
    columns: int
    epsg: int

    @property
    def pan_shape(self) -> tuple[int, int]:
        """Rows and columns of the 15 m grid."""
        return 2 * self.rows - 1, 2 * self.columns - 1

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges (west, south, east, north) of the 30 m grid, metres."""
        south, east = self.north - 30 * self.rows, self.west + 30 * self.columns
        return self.west, south, east, self.north


@dataclass(frozen=True)
class Window:
    """A block of 30 m pixels: rows from `top` to before `bottom`, columns likewise."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, margin: int) -> Window:
        """The window with `margin` more pixels on every side."""
        return Window(
            self.top - margin, self.bottom + margin, self.left - margin, self.right + margin
        )


def centres(grid: Grid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Map x (1, columns) and y (rows, 1) of the centres of 30 m pixels."""
    columns, rows = np.arange(window.left, window.right), np.arange(window.top, window.bottom)
    return _places(grid, 30.0, columns, rows, 0.5)


def pan_centres(grid: Grid, window: Window) -> tuple[Coordinates, Coordinates]:
    """Map x (1, columns) and y (rows, 1) of the 15 m pixels that belong to a window."""
    last_row, last_column = grid.pan_shape
    right, bottom = min(2 * window.right, last_column), min(2 * window.bottom, last_row)
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
    for top in range(window.top, window.bottom, _ROWS):
        bottom = min(top + _ROWS, window.bottom)
        part = Window(top, bottom, window.left, window.right)
        at = slice(top - window.top, bottom - window.top)
        fine_at = slice(2 * at.start, 2 * at.stop)
        _sampled(ground, grid, part, roles, coarse[:, at], pan[fine_at])
    return coarse, pan


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


def halved(field: Field, window: Window, grid: Grid) -> Field:
    """A field at 30 m centres to the 15 m centres of a window: points and middles of pairs.

    `field` has one pixel more than the window at the bottom and at the right.
    """
    rows, columns = (axis.size for axis in reversed(pan_centres(grid, window)))
    tall = np.empty((2 * field.shape[0] - 1, field.shape[1]), dtype=np.float32)
    tall[0::2] = field
    tall[1::2] = np.float32(0.5) * (field[:-1] + field[1:])
    wide = np.empty((tall.shape[0], 2 * field.shape[1] - 1), dtype=np.float32)
    wide[:, 0::2] = tall
    wide[:, 1::2] = np.float32(0.5) * (tall[:, :-1] + tall[:, 1:])
    return wide[:rows, :columns]
