"""Slow fields, computed on a lattice of the map and joined by straight lines."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nndacss.simulate.noise import Coordinates, Field, cells, linear


class Table:
    """Values on a piece of the lattice of all multiples of `step` metres."""

    def __init__(self, x: Coordinates, y: Coordinates, values: Field, step: float) -> None:
        """`values` (rows, columns) at the lattice's coordinates `x` (columns), `y` (rows)."""
        self._first = round(x[0] / step), round(y[0] / step)
        self._values, self._step = values, step

    def at(self, x: Coordinates, y: Coordinates) -> Field:
        """The values at open-grid coordinates: rows first, then columns."""
        (column, across), (row, down) = cells(x, self._step), cells(y, self._step)
        column, row = column - self._first[0], row - self._first[1]
        (near_x, far_x), (near_y, far_y) = linear(across), linear(down)
        table = self._values
        bent = table.take(row[:, 0], axis=0) * near_y + table.take(row[:, 0] + 1, axis=0) * far_y
        result: Field = bent.take(column[0], axis=1) * near_x
        result += bent.take(column[0] + 1, axis=1) * far_x
        return result


def lattice(
    box: tuple[Coordinates, Coordinates], shifts: Iterable[tuple[float, float]], step: float
) -> tuple[Coordinates, Coordinates]:
    """X and y of the lattice points around a box of coordinates, shifted in all these ways."""
    east, north = zip(*shifts, strict=True)
    return _span(box[0], east, step), _span(box[1], north, step)


def _span(at: Coordinates, moves: tuple[float, ...], step: float) -> Coordinates:
    first, last = (at.min() + min(moves)) / step, (at.max() + max(moves)) / step
    return np.arange(np.floor(first), np.floor(last) + 2, dtype=np.float64) * step
