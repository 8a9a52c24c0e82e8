"""The Python door: the calls behind the stages, one window of any grid at a time.

    import nndacss

    scene = nndacss.open_scene("LC08_L2SP_...", l1="LC08_L1TP_...")
    grid = nndacss.output_grid(scene)
    image = nndacss.read_harmonized(scene, grid[:1024, :1024])
    spread = nndacss.read_uncertainty(scene, grid[:1024, :1024])
    labels = nndacss.read_mask(scene, grid[:1024, :1024])

    model = nndacss.load_mask_model()               # the mask network, for arrays of your own
    result = model(pixels, roles=("blue", "green", "red", "nir08"), metres=10)

Keyword arguments are the keys of the stage's settings section (`configs/default.toml`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.harmonize import deep
from nndacss.harmonize.ground import Everywhere
from nndacss.harmonize.result import Harmonized
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.weights import Choice, choose
from nndacss.mask.settings import MaskSettings
from nndacss.mask.stage import chosen, windows
from nndacss.models.mask_model import MaskModel, Prediction, load_mask_model
from nndacss.plugins import load
from nndacss.raster import Raster
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.tile import grid as grids
from nndacss.tile.parts import Part, parts
from nndacss.tile.settings import TileSettings

__all__ = [
    "MaskModel",
    "Prediction",
    "load_mask_model",
    "open_scene",
    "output_grid",
    "read_harmonized",
    "read_mask",
    "read_uncertainty",
]


def output_grid(scene: Scene, **settings: Any) -> GeoBox:
    """The 10 m grid of a scene's product; settings of section `[tile]`."""
    return grids.output_grid(scene.grid("red"), TileSettings(**settings))


def read_harmonized(scene: Scene, grid: GeoBox, **settings: Any) -> Raster:
    """Sentinel-2-like reflectance on `grid`; settings of section `[harmonize]`.

    float32, 1.0 = 100 %, NaN where missing; bands in the order of `roles`. With a network
    (`method = "deep"`, and `auto` where it suits) all of the grid goes through it: clear ground and
    snow are those of the product, which has `bandpass` where there is neither.
    """
    asked = HarmonizeSettings(**settings)
    choice = choose(asked, deep.target_of(scene, grid))
    if not choice.cards:
        window = load("harmonize", choice.method)(scene, grid, asked)
        return Raster(window.pixels, grid, asked.roles)
    result = np.empty((len(asked.roles), *grid.shape), dtype=np.float32)
    for at, window in _by_network(scene, grid, asked, choice):
        result[:, at[0], at[1]] = window.pixels
    return Raster(result, grid, asked.roles)


def read_uncertainty(scene: Scene, grid: GeoBox, **settings: Any) -> Raster:
    """One standard deviation of the error of `read_harmonized`, as the network expects it.

    float32 reflectance, NaN where missing, not widened over snow (there is no mask here). Raises
    InputError where no network harmonizes the scene, or the one that does states none.
    """
    asked = HarmonizeSettings(**settings | {"uncertainty": True})
    choice = choose(asked, deep.target_of(scene, grid))
    if not choice.uncertain:
        found = ", ".join(card.name for card in choice.cards) or choice.method
        expected = "weights that state their error, or several of them"
        remedy = "name other harmonize.weights"
        raise InputError(complain(scene.identity.name, found, expected, remedy))
    result = np.empty((len(asked.roles), *grid.shape), dtype=np.float32)
    for at, window in _by_network(scene, grid, asked, choice):
        if window.deviation is not None:
            result[:, at[0], at[1]] = window.deviation.sigma
    return Raster(result, grid, asked.roles)


def _by_network(
    scene: Scene, grid: GeoBox, settings: HarmonizeSettings, choice: Choice
) -> Iterator[tuple[tuple[slice, slice], Harmonized]]:
    """The windows of the product's lattice that `grid` meets: rows and columns of it, and result.

    The same windows as in the product, so the same pixels.
    """
    threads = os.cpu_count() or 1
    cells: list[Part] = parts(grid, TileSettings(part=TileSettings().window))
    with (
        deep.harmonizer(scene, settings, choice, Everywhere(), grid, threads) as compute,
        ThreadPoolExecutor(threads) as pool,
    ):
        found = pool.map(lambda cell: compute(next(cell.windows()).grid), cells)
        for cell, window in zip(cells, found, strict=True):
            yield cell.at, _cut(window, next(cell.windows()).keep)


def _cut(window: Harmonized, keep: tuple[slice, slice]) -> Harmonized:
    """What of a window lies inside the grid."""
    inside = (slice(None), *keep)
    deviation = window.deviation
    if deviation is not None:
        deviation = replace(deviation, sigma=deviation.sigma[inside], flags=deviation.flags[keep])
    return Harmonized(window.pixels[inside], window.source[keep], deviation)


def read_mask(scene: Scene, grid: GeoBox, **settings: Any) -> NDArray[np.uint8]:
    """Labels on `grid`, (rows, columns) uint8: 0 clear, 1 shadow, 2 snow, 3 cloud, 255 nodata.

    Settings of section `[mask]`.
    """
    chosen_settings = MaskSettings(**settings)
    threads = os.cpu_count() or 1
    with windows(scene, chosen(scene, chosen_settings), chosen_settings, threads) as label:
        result = label(grid)
    labels: NDArray[np.uint8] = result.labels
    return labels
