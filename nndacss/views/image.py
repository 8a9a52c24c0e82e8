"""What a source gives: one labelled Landsat image on the 10 m grid, and windows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from odc.geo.geobox import GeoBox

from nndacss.datasets.tiles import starts
from nndacss.labels.sets import Sets
from nndacss.models.harmonizer_card import ROLES
from nndacss.raster import Pixels


@dataclass(frozen=True)
class Image:
    """One labelled image, whole."""

    name: str
    """Unique inside its source."""
    scene: str
    """The place and time it was cut from: what a split must not tear."""
    inputs: Pixels
    """(7, rows, columns) float32 reflectance as harmonizers take it, NaN missing: six bands in the
    order of `nndacss.sensors.REFLECTIVE`, then pan (top of atmosphere), missing everywhere where
    there is none."""
    sets: Sets
    """(rows, columns) which classes each pixel may be; 0 unlabelled."""
    grid: GeoBox
    """Of both, 10 m."""
    margin: int
    """Pixels on every side that networks may see but no view holds."""
    level: str
    """Of the six bands, `TOA` or `SR`."""
    sensor: str
    sun: tuple[float, float] | None
    """Elevation and azimuth, degrees; None where unknown."""


@dataclass(frozen=True)
class Window:
    """One view of an image."""

    row: int
    column: int
    """Upper left pixel in the image less its margin."""
    landsat: Pixels
    """(6, side, side) float32 reflectance, NaN missing."""
    harmonized: Pixels
    """The same."""
    sets: Sets
    """(side, side); 0 where unlabelled or where a band of Landsat is missing."""


def windows(image: Image, harmonized: Pixels, side: int) -> Iterator[Window]:
    """Windows that hold a label, row by row, placed by `places`.

    `harmonized` is (6, rows, columns) of the whole image. An image smaller than `side` is filled
    with missing pixels.
    """
    inner = np.s_[image.margin : image.grid.shape[0] - image.margin]
    across = np.s_[image.margin : image.grid.shape[1] - image.margin]
    landsat = image.inputs[: len(ROLES), inner, across]
    after, sets = harmonized[:, inner, across], image.sets[inner, across]
    sets = np.where(np.isnan(landsat).any(axis=0), np.uint16(0), sets)
    for row in places(sets.shape[0], side):
        for column in places(sets.shape[1], side):
            place = np.s_[row : row + side, column : column + side]
            if sets[place].any():
                yield Window(
                    row,
                    column,
                    _filled(landsat[:, *place], side),
                    _filled(after[:, *place], side),
                    _filled_sets(sets[place], side),
                )


def places(size: int, side: int) -> list[int]:
    """First pixels of the windows along one axis; the last is shifted inward to end with it.

    What it would bring anew is left out where it is less than a quarter of a window.

    >>> places(300, 100), places(330, 100), places(320, 100)
    ([0, 100, 200], [0, 100, 200, 230], [0, 100, 200])
    """
    found = starts(size, side, side)
    if len(found) > 1 and found[-1] - found[-2] < side / 4:
        return found[:-1]
    return found


def _filled(pixels: Pixels, side: int) -> Pixels:
    """(bands, rows, columns) -> (bands, side, side), NaN beyond."""
    lack = [(0, side - size) for size in pixels.shape[1:]]
    return np.pad(pixels, [(0, 0), *lack], constant_values=np.nan)


def _filled_sets(sets: Sets, side: int) -> Sets:
    return np.pad(sets, [(0, side - size) for size in sets.shape])
