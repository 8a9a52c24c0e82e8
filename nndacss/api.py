"""The Python door: the calls behind the stages, one window of any grid at a time.

    import nndacss

    scene = nndacss.open_scene("LC08_L2SP_...", l1="LC08_L1TP_...")
    grid = nndacss.output_grid(scene)
    image = nndacss.read_harmonized(scene, grid[:1024, :1024])
    labels = nndacss.read_mask(scene, grid[:1024, :1024])

    model = nndacss.load_mask_model()               # the mask network, for arrays of your own
    result = model(pixels, roles=("blue", "green", "red", "nir08"), metres=10)

Keyword arguments are the keys of the stage's settings section (`configs/default.toml`).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.mask.settings import MaskSettings
from nndacss.mask.stage import chosen, windows
from nndacss.models.mask_model import MaskModel, Prediction, load_mask_model
from nndacss.plugins import load
from nndacss.raster import Raster
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.tile import grid as grids
from nndacss.tile.settings import TileSettings

__all__ = [
    "MaskModel",
    "Prediction",
    "load_mask_model",
    "open_scene",
    "output_grid",
    "read_harmonized",
    "read_mask",
]


def output_grid(scene: Scene, **settings: Any) -> GeoBox:
    """The 10 m grid of a scene's product; settings of section `[tile]`."""
    return grids.output_grid(scene.grid("red"), TileSettings(**settings))


def read_harmonized(scene: Scene, grid: GeoBox, **settings: Any) -> Raster:
    """Sentinel-2-like reflectance on `grid`; settings of section `[harmonize]`.

    float32, 1.0 = 100 %, NaN where missing; bands in the order of `roles`.
    """
    chosen_settings = HarmonizeSettings(**settings)
    window = load("harmonize", chosen_settings.method)(scene, grid, chosen_settings)
    return Raster(window.pixels, grid, chosen_settings.roles)


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
