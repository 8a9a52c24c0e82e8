"""The mask stage: one mask per product, made before anything is composed with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.labels.climate import Climate
from nndacss.mask.settings import MaskSettings
from nndacss.plugins import load
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.tile.grid import output_grid
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, run_parts
from nndacss.tile.settings import TileSettings

NOTES = {
    "quality": "from the agency's quality bits (CFMask), not predicted",
    "spectral": "provisional: plain spectral thresholds, since the product has no quality band",
}


def mask_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    changed = context.order.recipe.settings
    settings = cast(MaskSettings, restore(changed, "mask"))
    roles = cast(HarmonizeSettings, restore(changed, "harmonize")).roles
    tile = cast(TileSettings, restore(changed, "tile"))
    _, acquired = context.input("scene")
    scene = open_scene(acquired["summary"]["scene"], acquired["summary"]["l1"])
    method = chosen(scene, settings)
    grid = output_grid(scene.grid(roles[0]), tile)
    cut = parts(grid, tile)
    layers = [Layer("labels", "uint8", Climate.NODATA, ("mask",))]
    if scene.quality(grid[:1, :1]) is not None:
        layers.append(Layer("quality", "uint16", 1, ("quality",)))
    count = run_parts(
        cut,
        layers,
        context.folder,
        lambda window: mask_window(scene, window, method, settings, roles),
        context.threads,
        lambda done, total: context.progress(done / total, f"part {done} of {total}"),
    )
    for layer in layers:
        mosaic(cut, layer, context.folder)
    provisional = method == "spectral"
    summary = {"method": method, "provisional": provisional, "note": NOTES.get(method, "")}
    return summary | {"parts": len(cut), "computed": count}


def chosen(scene: Scene, settings: MaskSettings) -> str:
    """The method that `auto` stands for with this scene; else the one that was asked for."""
    if settings.method != "auto":
        return settings.method
    return "spectral" if scene.quality(scene.grid("red")[:1, :1]) is None else "quality"


def mask_window(
    scene: Scene, grid: GeoBox, method: str, settings: MaskSettings, roles: tuple[str, ...]
) -> Mapping[str, NDArray[Any]]:
    """All layers of one window; missing wherever the product's reflectance is missing."""
    result = load("mask", method)(scene, grid, settings)
    missing = ~scene.present(roles, grid)
    labels = np.where(missing, np.uint8(Climate.NODATA), result.labels)
    layers = {"labels": labels[None]}
    if result.quality is not None:
        layers["quality"] = result.quality[None]
    return layers
