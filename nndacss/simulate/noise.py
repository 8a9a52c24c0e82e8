"""Random fields that know no borders: a hash on a lattice, and a spline through it.

A value belongs to a lattice point of the whole map, not to an array, so any block of any place
is computed alone and overlapping blocks agree to the last bit (all sums run element by element
in one fixed order; no FFT, no matrix product).

Coordinates `x`, `y` are float64 metres that broadcast together. The fast case is the open grid,
`x` (1, columns) and `y` (rows, 1); any other shapes work and give the same values, with memory
that follows the bounding box of the points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import cos, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

Coordinates = NDArray[np.float64]
Field = NDArray[np.float32]
Hashes = NDArray[np.uint32]
Indices = NDArray[np.int64]

#: Standard deviation of a cubic B-spline through independent uniform values on [0, 1):
#: sqrt(1 / 12) times, per axis, the root mean square of the kernel's sum of squares (151 / 315).
_SPREAD = (1 / 12) ** 0.5 * 151 / 315


def mixed(first: NDArray[Any], second: NDArray[Any] | int, seed: int) -> Hashes:
    """Well-mixed 32-bit hashes of two integer arrays (broadcast) and a seed.

    Two multiply-xorshift rounds with the constants of Wellons' `lowbias32`.
    """
    start = (seed * 0x9E3779B1 + 0x7F4A7C15) & 0xFFFFFFFF
    other = np.asarray(second).astype(np.uint32)
    value: Hashes = (first.astype(np.uint32) * np.uint32(0x9E3779B1)) ^ np.uint32(start)
    value = (value ^ (value >> np.uint32(15))) + other * np.uint32(0x85EBCA77)
    value ^= value >> np.uint32(16)
    value *= np.uint32(0x7FEB352D)
    value ^= value >> np.uint32(15)
    value *= np.uint32(0x846CA68B)
    value ^= value >> np.uint32(16)
    return value


def unit(hashes: Hashes) -> Field:
    """Hashes to float32 uniform on [0, 1)."""
    result: Field = (hashes >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    return result


def normal(columns: Indices, rows: Indices, seed: int) -> Field:
    """One value per pixel number, mean 0, variance 1: the sum of four bytes of a hash.

    Near enough to a Gaussian for sensor noise; never beyond 3.5 standard deviations.
    """
    value = mixed(columns, rows, seed)
    total = (value & np.uint32(255)) + ((value >> np.uint32(8)) & np.uint32(255))
    total += ((value >> np.uint32(16)) & np.uint32(255)) + (value >> np.uint32(24))
    spread = (4 * (256**2 - 1) / 12) ** 0.5
    result: Field = (total.astype(np.float32) - np.float32(510)) * np.float32(1 / spread)
    return result


def is_open(x: NDArray[Any], y: NDArray[Any]) -> bool:
    """Whether `x` is one row and `y` one column."""
    return x.ndim == y.ndim == 2 and x.shape[0] == 1 and y.shape[1] == 1


def look(table: NDArray[Any], column: Indices, row: Indices) -> NDArray[Any]:
    """`table[row, column]`, by two cheap takes on an open grid."""
    result: NDArray[Any]
    if is_open(column, row):
        result = table.take(row[:, 0], axis=0).take(column[0], axis=1)
    else:
        result = table[row, column]
    return result


def cells(at: Coordinates, step: float) -> tuple[Indices, Field]:
    """The lattice cell that holds each coordinate, and where in it (0 to 1)."""
    position = at / step
    index = np.floor(position)
    return index.astype(np.int64), (position - index).astype(np.float32)


def span(index: Indices, before: int, after: int) -> Indices:
    """All lattice numbers from the least to the greatest, with a margin."""
    return np.arange(index.min() - before, index.max() + after + 1, dtype=np.int64)


def linear(at: Field) -> tuple[Field, ...]:
    """Weights of the points at 0 and 1."""
    return 1 - at, at


def spline(at: Field) -> tuple[Field, ...]:
    """Cubic B-spline weights of the points at -1, 0, 1, 2: smooth up to the curvature."""
    rest, square = 1 - at, at * at
    sixth = np.float32(1 / 6)
    first, last = rest * rest * rest * sixth, square * at * sixth
    second = np.float32(2 / 3) - square + np.float32(0.5) * square * at
    return first, second, 1 - first - second - last, last


class Mesh:
    """The lattice points (all multiples of `step` metres) around `x`, `y`, and the way back.

    `columns` (1, n) and `rows` (m, 1) are the lattice numbers, `margin` more on every side than
    the kernel needs, and `x`, `y` their coordinates; `through` carries a table of values there,
    without the margin, to where they are asked for.
    """

    def __init__(
        self,
        x: Coordinates,
        y: Coordinates,
        step: float,
        kernel: Callable[[Field], tuple[Field, ...]] = linear,
        margin: int = 0,
    ) -> None:
        (column, across), (row, down) = cells(x, step), cells(y, step)
        self._across, self._down = kernel(across), kernel(down)
        before, after = len(self._across) // 2 - 1, len(self._across) // 2
        columns, rows = (
            span(column, before + margin, after + margin),
            span(row, before + margin, after + margin),
        )
        self._column = column - columns[0] - before - margin
        self._row = row - rows[0] - before - margin
        self.columns, self.rows = columns[None, :], rows[:, None]
        self.x: Coordinates = self.columns * np.float64(step)
        self.y: Coordinates = self.rows * np.float64(step)

    def through(self, table: Field) -> Field:
        """The values at `x`, `y`: rows first, then columns."""
        row, column, taps = self._row, self._column, range(len(self._across))
        if is_open(column, row):
            bent = _weighted(self._down, (table.take(row[:, 0] + n, axis=0) for n in taps))
            return _weighted(self._across, (bent.take(column[0] + n, axis=1) for n in taps))

        def bend(right: int) -> Field:
            return _weighted(self._down, (table[row + n, column + right] for n in taps))

        return _weighted(self._across, (bend(n) for n in taps))


def _weighted(weights: tuple[Field, ...], values: Iterable[Field]) -> Field:
    """The weighted sum, added up in order."""
    pairs = iter(zip(weights, values, strict=True))
    weight, value = next(pairs)
    total: Field = value * weight
    for weight, value in pairs:
        total += value * weight
    return total


def rough(x: Coordinates, y: Coordinates, step: float, seed: int) -> Field:
    """White texture of one grain, uniform values joined by straight lines, -1 to 1."""
    mesh = Mesh(x, y, step)
    return mesh.through(unit(mixed(mesh.columns, mesh.rows, seed)) * 2 - 1)


def fractal(
    x: Coordinates, y: Coordinates, steps: Sequence[float], seed: int, fall: float = 0.5
) -> Field:
    """Smooth value noise summed over `steps` (metres, coarse to fine), about N(0, 1).

    Each grain has `fall` times the amplitude of the one before.
    """
    size = sum(fall ** (2 * n) for n in range(len(steps))) ** 0.5
    total: Field = np.zeros((1, 1), dtype=np.float32)
    for n, step in enumerate(steps):
        mesh = Mesh(x, y, step, spline)
        table = unit(mixed(mesh.columns, mesh.rows, seed * 131 + n)) - np.float32(0.5)
        total = total + mesh.through(table * np.float32(fall**n / (_SPREAD * size)))
    return total


def broad(
    x: Coordinates, y: Coordinates, steps: Sequence[float], seed: int, fall: float = 0.5
) -> Field:
    """As `fractal`, for grains over a kilometre: every grain turned, so that no axis shows.

    Turned coordinates are no open grid, so the field is computed on the map's 300 m lattice.
    """
    mesh = Mesh(x, y, 300.0, spline)
    east, north = mesh.x, mesh.y
    size = sum(fall ** (2 * n) for n in range(len(steps))) ** 0.5
    total: Field = np.zeros((1, 1), dtype=np.float32)
    for n, step in enumerate(steps):
        turn = 0.5 + 0.9 * n + 0.31 * (seed % 10)
        along, across = east * cos(turn) + north * sin(turn), north * cos(turn) - east * sin(turn)
        share = np.float32(fall**n / size)
        total = total + share * fractal(along, across, (step,), seed * 17 + n)
    return mesh.through(total)
