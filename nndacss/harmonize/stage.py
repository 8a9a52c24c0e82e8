"""The harmonize stage: a scene's windows through the chosen method, written in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.harmonize.bandpass import coefficients, is_own
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.plugins import load
from nndacss.raster import Pixels
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.tile.grid import output_grid
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, run_parts
from nndacss.tile.settings import TileSettings

#: Reflectance is stored as round(reflectance / SCALE), int16 (as Sentinel-2 and HLS do).
SCALE = 0.0001
NODATA = -9999
#: Bits of the source layer; 0 is nodata.
BANDPASS, NETWORK, COMPOSED, SATURATED, NO_PAN, OWN = 1, 2, 4, 8, 16, 32


def quantize(pixels: Pixels) -> NDArray[np.int16]:
    """Reflectance to int16 counts; a pixel with any band missing is NODATA in all bands."""
    missing = np.isnan(pixels).any(axis=0)
    counts = np.rint(np.where(missing, 0, pixels) / np.float32(SCALE))
    clipped = np.clip(counts, NODATA + 1, np.iinfo(np.int16).max).astype(np.int16)
    return np.where(missing, np.int16(NODATA), clipped)


def harmonize_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    changed = context.order.recipe.settings
    settings = cast(HarmonizeSettings, restore(changed, "harmonize"))
    tile = cast(TileSettings, restore(changed, "tile"))
    _, acquired = context.input("scene")
    scene = open_scene(acquired["summary"]["scene"], acquired["summary"]["l1"])
    grid = output_grid(scene.grid(settings.roles[0]), tile)
    cut = parts(grid, tile)
    layers = (
        Layer("reflectance", "int16", NODATA, settings.roles, predictor=2),
        Layer("source", "uint8", 0, ("source",)),
    )
    count = run_parts(
        cut,
        layers,
        context.folder,
        lambda window: harmonize_window(scene, window, settings),
        context.threads,
        lambda done, total: context.progress(done / total, f"part {done} of {total}"),
    )
    for layer in layers:
        mosaic(cut, layer, context.folder)
    return _summary(scene, settings) | {"parts": len(cut), "computed": count}


def harmonize_window(
    scene: Scene, grid: GeoBox, settings: HarmonizeSettings
) -> Mapping[str, NDArray[Any]]:
    """All layers of one window."""
    method = load("harmonize", settings.method)
    window = method(scene, grid, settings)
    counts = quantize(window.pixels)
    own = is_own(scene, settings.target)
    source = np.full(grid.shape, OWN if own else BANDPASS, dtype=np.uint8)
    if not own:
        source[~window.sharpened] |= NO_PAN
    source[scene.saturated(settings.roles, grid)] |= SATURATED
    source[counts[0] == NODATA] = 0
    return {"reflectance": counts, "source": source[None]}


def _summary(scene: Scene, settings: HarmonizeSettings) -> dict[str, Any]:
    table = coefficients(scene, settings.target)
    return {
        "method": settings.method,
        "sensor": scene.platform if is_own(scene, settings.target) else settings.target,
        "roles": list(settings.roles),
        "bandpass": {role: list(table[role]) for role in settings.roles},
        "pan": settings.sharpen and "pan" in scene.roles,
        "losses": list(scene.losses),
    }
