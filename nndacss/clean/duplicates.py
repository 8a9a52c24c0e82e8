"""Pictures that are there twice under different names, and chips whose grounds overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import floor

import numpy as np

from nndacss.clean.measure import Measure, by_chip
from nndacss.landcovernet.names import quarter

#: Images that are compared with all others at once.
_BLOCK = 1024
#: Degrees of a cell in which chips that may overlap are looked for; a chip is 0.03 degrees high.
_CELL = 0.2


def twins(measures: Mapping[str, Measure], alike: float) -> dict[str, str]:
    """Image -> the better one of another chip that shows the same.

    Images of one quarter are compared, by the correlation of their small pictures (see
    `Measure.small`). Of two, the one with more consensus on more labels is the better, then the
    first by name.
    """
    result: dict[str, str] = {}
    for number in range(1, 5):
        names = [
            name
            for name in sorted(measures)
            if quarter(name[-8:]) == number and measures[name].small is not None
        ]
        for one, other in _alike(names, measures, alike):
            if one.rpartition("_")[0] != other.rpartition("_")[0]:
                _keep_better(result, measures, one, other)
    return result


def overlaps(measures: Mapping[str, Measure], most: float) -> dict[str, str]:
    """Chip -> the better chip on whose ground it lies by more than the share `most`."""
    chips = {
        chip: measures[names[0]]
        for chip, names in by_chip(measures).items()
        if measures[names[0]].bounds
    }
    result: dict[str, str] = {}
    for one, other in _near(chips):
        if _shared(chips[one].bounds, chips[other].bounds) > most:
            _keep_better(result, chips, one, other)
    return result


def _alike(
    names: Sequence[str], measures: Mapping[str, Measure], alike: float
) -> Iterator[tuple[str, str]]:
    pictures = [measures[name].small for name in names]
    shapes = {picture.size for picture in pictures if picture is not None}
    if len(shapes) != 1:  # of odd sizes nothing is compared: they are rejected for that
        return
    table = np.stack([picture for picture in pictures if picture is not None])
    for start in range(0, len(names), _BLOCK):
        likeness = table[start : start + _BLOCK] @ table.T
        for row, column in np.argwhere(likeness > alike):
            if start + row < column:
                yield names[start + row], names[column]


def _near(chips: Mapping[str, Measure]) -> Iterator[tuple[str, str]]:
    """Pairs of chips that share a cell, each once, sorted."""
    cells: dict[tuple[int, int], list[str]] = defaultdict(list)
    for chip, one in chips.items():
        west, south, east, north = one.bounds
        for column in range(floor(west / _CELL), floor(east / _CELL) + 1):
            for row in range(floor(south / _CELL), floor(north / _CELL) + 1):
                cells[column, row].append(chip)
    pairs = {(a, b) for own in cells.values() for a in own for b in own if a < b}
    yield from sorted(pairs)


def _shared(one: Sequence[float], other: Sequence[float]) -> float:
    """Share of the smaller ground that lies in the other; west, south, east, north."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if min(width, height) <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return width * height / min(areas)


def _keep_better(
    result: dict[str, str], measures: Mapping[str, Measure], one: str, other: str
) -> None:
    """Note the worse of two; a chain of copies leaves one."""
    first, second = sorted(
        (one, other), key=lambda name: (-measures[name].consensus * measures[name].labelled, name)
    )
    if second not in result:
        result[second] = result.get(first, first)
