"""A harmonizer over an image in memory."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.harmonize.fields import field
from nndacss.harmonize.ground import place
from nndacss.models.harmonizer_card import ROLES, Precision
from nndacss.raster import Pixels
from nndacss.views.image import Image

if TYPE_CHECKING:
    from nndacss.models.harmonizer import Harmonizer

#: Rows and columns that a network is asked for at once, 10 m pixels.
BLOCK = 768


def harmonized(network: Harmonizer, image: Image) -> Pixels:
    """(6, rows, columns) float32 reflectance of the network's target, NaN where Landsat is.

    Clouds and shadows too, though the networks were trained on clear ground.
    """
    rows, columns = image.grid.shape
    result = np.full((len(ROLES), rows, columns), np.nan, dtype=np.float32)

    def read(grid: GeoBox) -> Pixels:
        return part(image, grid)

    with field(network, read, image.grid, threads=1) as values:
        for row in range(0, rows, BLOCK):
            for column in range(0, columns, BLOCK):
                at = (
                    slice(row, min(row + BLOCK, rows)),
                    slice(column, min(column + BLOCK, columns)),
                )
                result[:, *at] = values(image.grid[at])[: len(ROLES)]
    return result


def part(image: Image, grid: GeoBox) -> Pixels:
    """(7, rows, columns) of the image on any grid of its lattice, NaN beyond the image."""
    result = np.full((len(image.inputs), *grid.shape), np.nan, dtype=np.float32)
    own, into = [], []
    for first, start, size, total in zip(
        place(grid), place(image.grid), grid.shape, image.grid.shape, strict=True
    ):
        low, high = max(first - start, 0), min(first - start + size, total)
        if high <= low:
            return result
        own.append(slice(low, high))
        into.append(slice(low + start - first, high + start - first))
    result[:, into[0], into[1]] = image.inputs[:, own[0], own[1]]
    return result


@lru_cache(maxsize=1)
def network(weights: tuple[str, ...], sha256: str, device: str, precision: Precision) -> Harmonizer:
    """The networks, loaded once a process."""
    del sha256  # part of the key: a file may be replaced
    from nndacss.models.harmonizer import Harmonizer

    return Harmonizer(weights, device, precision)
