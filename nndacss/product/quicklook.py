"""Pictures of a product: small, with one stretch for before and after.

Before is the scene's own 30 m pixels, after the product, both as block averages of at most 1024
pixels a side. The detail is a piece of both at 10 m, where the difference can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from PIL import Image
from rasterio.enums import Resampling
from rasterio.windows import Window

from nndacss.identity import drafted
from nndacss.labels.climate import Climate
from nndacss.product.sheets import Label, Sheet
from nndacss.product.survey import blocks
from nndacss.raster import Pixels
from nndacss.readers.scene import Scene
from nndacss.tile.warp import nearest, source_window

#: Longest side of a quicklook, pixels.
SIDE = 1024
#: Sides of the detail, product pixels.
DETAIL = (360, 540)
TRUE = ("red", "green", "blue")
FALSE = ("swir16", "nir08", "red")
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Stretch:
    """Reflectance to brightness, per band: `low` is black, `high` white."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    gamma: float = 0.8

    def __call__(self, pixels: Pixels) -> Picture:
        """(bands, rows, columns) to (rows, columns, 4) with alpha 0 where missing."""
        missing = np.isnan(pixels).any(axis=0)
        low = np.array(self.low, dtype=np.float32)[:, None, None]
        high = np.array(self.high, dtype=np.float32)[:, None, None]
        with np.errstate(invalid="ignore"):
            share = np.clip((pixels - low) / (high - low), 0, 1) ** self.gamma
        colours = np.rint(255 * np.nan_to_num(share)).astype(np.uint8)
        alpha = np.where(missing, 0, 255).astype(np.uint8)
        colours[:, missing] = 0
        return np.moveaxis(np.concatenate([colours, alpha[None]]), 0, 2)


def stretch(pixels: Pixels, clear: NDArray[np.bool_]) -> Stretch:
    """From the 1st percentile of the clear pixels, with the span of the most varied band.

    Dark points are per band, which takes away haze; one span from dark to white (99th
    percentile) for all bands of a picture keeps its colours natural. Where less than a hundredth
    is clear, all valid pixels count.
    """
    valid = ~np.isnan(pixels).any(axis=0)
    used = valid & clear if (valid & clear).sum() >= 0.01 * valid.sum() else valid
    if not used.any():
        return Stretch((0.0,) * len(pixels), (0.3,) * len(pixels))
    # not below 0: negative reflectance is a fault of the atmospheric correction, not darkness
    ends = [np.maximum(np.percentile(band[used], (1, 99)), 0) for band in pixels]
    span = max(0.02, *(float(high - low) for low, high in ends))
    low = tuple(float(end[0]) for end in ends)
    return Stretch(low, tuple(value + span for value in low))


def small(grid: GeoBox) -> GeoBox:
    """The grid of a quicklook: the same extent with at most `SIDE` pixels a side."""
    rows, columns = grid.shape
    factor = max(1.0, max(rows, columns) / SIDE)
    shape = (max(1, round(rows / factor)), max(1, round(columns / factor)))
    scale = Affine.scale(columns / shape[1], rows / shape[0])
    return GeoBox(shape, grid.affine @ scale, grid.crs)


def product_view(path: Path, sheet: Sheet, roles: Sequence[str], shape: Any) -> Pixels:
    """The product's bands averaged to `shape` (rows, columns), NaN where missing."""
    with rasterio.open(path) as raster:
        indexes = [sheet.bands.index(role) + 1 for role in roles]
        counts = raster.read(
            indexes, out_shape=(len(indexes), *shape), resampling=Resampling.average
        )
    return reflectance(counts, sheet)


def reflectance(counts: NDArray[np.int16], sheet: Sheet) -> Pixels:
    """Counts of a sheet as reflectance, NaN where any band is missing."""
    missing = (counts == sheet.nodata).any(axis=0)
    pixels = counts.astype(np.float32) * np.float32(sheet.scale)
    pixels[:, missing] = np.nan
    return pixels


def mask_view(path: Path, shape: Any) -> NDArray[np.uint8]:
    """The mask at `shape`, by nearest neighbour in its mode overviews."""
    with rasterio.open(path) as raster:
        codes: NDArray[np.uint8] = raster.read(1, out_shape=shape)
    return codes


def scene_view(scene: Scene, roles: Sequence[str], grid: GeoBox) -> Pixels:
    """The scene on a quicklook's grid: averaged, or its own pixels where the grid is finer."""
    if grid.affine.a < scene.grid(roles[0]).affine.a:
        return scene_pixels(scene, roles, grid)
    result = np.empty((len(roles), *grid.shape), dtype=np.float32)
    rows, columns = grid.shape
    for place in blocks((rows, columns), 128):  # in pieces: the scene's pixels are many more
        result[:, *place] = scene.read(roles, grid[place], "average").pixels
    return result


def scene_pixels(scene: Scene, roles: Sequence[str], grid: GeoBox) -> Pixels:
    """The scene's own pixels as squares on a finer grid, which shows what they look like."""
    shown = []
    for role in roles:  # one by one: bands may have pixels of different sizes
        plane = scene.grid(role)
        own = plane[source_window(plane, grid, margin=1)]
        pixels = scene.read([role], own).pixels
        counts = np.rint(np.nan_to_num(pixels * 10000, nan=-32768.0)).astype(np.int16)
        shown.append(nearest(counts, own, grid, -32768)[0])
    bands = np.stack(shown)
    return np.where(bands == -32768, np.float32(np.nan), bands.astype(np.float32) / 10000)


def overlay(picture: Picture, codes: NDArray[np.uint8], labels: Sequence[Label]) -> Picture:
    """Class colours over a picture, half see-through; clear and nodata stay as they are."""
    result = picture.copy()
    for label in labels[1:]:
        where = (codes == label.value) & (picture[..., 3] > 0)
        colour = np.array(label.colour, dtype=np.float32)
        mixed = 0.4 * picture[where][:, :3].astype(np.float32) + 0.6 * colour
        result[where, :3] = np.rint(mixed).astype(np.uint8)
    return result


def most_telling(
    path: Path, sheet: Sheet, codes: NDArray[np.uint8], shape: tuple[int, int]
) -> tuple[slice, slice] | None:
    """Rows and columns of the detail: varied ground, as clear as there is any.

    `codes` is the mask at a quicklook's size, `shape` the product's. Places are tried half a
    detail apart, a quarter in small products; the dozen with the most clear ground are looked
    at in full. None where there is no data at all.
    """
    places = list(_places(shape))
    zoom = tuple(small_ / full for small_, full in zip(codes.shape, shape, strict=True))
    clear, valid = (
        np.array([_share(chosen, place, zoom) for place in places])
        for chosen in (codes == Climate.CLEAR, codes != Climate.NODATA)
    )
    order = np.argsort(-clear, kind="stable")
    if valid.max() == 0:
        return None
    best = [index for index in order if valid[index] >= min(0.98, valid.max())][:12]
    role = sheet.bands.index("red") + 1 if "red" in sheet.bands else 1
    scores = []
    with rasterio.open(path) as raster:
        for index in best:
            band = raster.read(role, window=Window.from_slices(*places[index]))
            steps = np.abs(np.diff(band.astype(np.float32), axis=1))
            scores.append(float(np.clip(steps, 0, 300).mean()) * clear[index] ** 4)
    chosen = int(best[int(np.argmax(scores))])
    return places[chosen]


def _places(shape: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """Where a detail can lie inside `shape`."""
    height, width = (min(want, size) for want, size in zip(DETAIL, shape, strict=True))
    apart = 4 if max(shape) <= 4096 else 2
    for row in range(0, shape[0] - height + 1, max(1, height // apart)):
        for column in range(0, shape[1] - width + 1, max(1, width // apart)):
            yield slice(row, row + height), slice(column, column + width)


def _share(chosen: NDArray[np.bool_], place: tuple[slice, slice], zoom: tuple[float, ...]) -> float:
    """Share of chosen pixels in a place of the full raster."""
    rows, columns = (
        slice(int(part.start * by), max(int(part.stop * by), int(part.start * by) + 1))
        for part, by in zip(place, zoom, strict=True)
    )
    return float(chosen[rows, columns].mean())


def save(picture: Picture, path: Path) -> None:
    """As PNG, whole or not at all."""
    with drafted(path) as draft:
        Image.fromarray(picture).save(draft, format="PNG", optimize=False, compress_level=4)
