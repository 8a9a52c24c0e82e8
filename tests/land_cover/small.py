"""A small land-cover network with random weights, and products to map, for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin

from nndacss.acquire.stage import acquire_scene
from nndacss.labels.land_cover import SCHEME
from nndacss.land_cover.plan import map_plan
from nndacss.land_cover.stage import map_land_cover
from nndacss.models.card import LandCoverCard, save_weights
from nndacss.models.segmentation import Architecture, Scaling, build
from nndacss.settings import load_settings
from nndacss.stage import DONE, Context
from tests.readers.safe_recipes import METRES, Recipe
from tests.stages import begun

#: Sizes of a test's image, 10 m pixels: several tiles a side.
SIZE = 300
ARCHITECTURE = Architecture(
    name="Unet", encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 16, 16, 16)
)
TEN = ("blue", "green", "red", "nir", "swir16")
SIX = ("blue", "green", "red", "nir08", "swir16", "swir22")


def save_land(folder: Path, bands=TEN, **card) -> Path:
    """Write card and weights for `bands` and NDVI; the card's path."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    roles = (*bands, "ndvi")
    network = build(ARCHITECTURE, len(roles), len(SCHEME.classes)).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(2, 2 * len(roles), 128, 128))
        # classes that differ: the head of a fresh network hardly does
        network.segmentation_head[0].weight *= 30
    scaling = Scaling(offset=dict.fromkeys(roles, 0.2), spread=dict.fromkeys(roles, 0.1))
    stated = {
        "name": "land",
        "purpose": "Tests.",
        "architecture": ARCHITECTURE,
        "roles": roles,
        "required": bands,
        "classes": SCHEME.classes,
        "scaling": scaling,
        "training": {"data": {"stand-in": {"samples": 2, "scenes": 1, "simulated": True}}},
        "licence": "test",
        "sha256": "",
    }
    save_weights(LandCoverCard(**{**stated, **card}), network.state_dict(), folder / "land")
    return folder / "land.json"


def ground(metres: int, seed: int, size: int = SIZE):
    """DN of a varied ground, reflectance 0.05 to 0.45 above the offset of 1000."""
    side = size * 10 // metres
    row, column = np.mgrid[:side, :side] * metres / 10
    wave = np.sin(row / (11 + seed)) * np.cos(column / (23 - seed)) + np.sin((row + column) / 61)
    return np.rint(1000 + 2500 + 1000 * wave).astype("u2")


def safe(folder: Path, size: int = SIZE) -> Path:
    """A Level-2A product with a corner without data, a cloud and its shadow."""
    numbers = {band: ground(metres, n, size) for n, (band, metres) in enumerate(METRES.items())}
    classes = np.full((size // 2, size // 2), 4)
    classes[40:60, 50:70], classes[70:80, 50:70], classes[90:95, 5:9] = 9, 3, 10
    numbers["SCL"] = classes
    numbers["B04"][:20, :20] = 0
    recipe = Recipe(level="2A", size=size, numbers=numbers, center="Simulated by a test")
    folder.mkdir(parents=True, exist_ok=True)
    return recipe.write(folder)


def product(folder: Path, roles=SIX, size: int = 64, level: str = "SR") -> Path:
    """What MapLandCover reads of a product of AdaptScene: reflectance, mask, item."""
    folder.mkdir(parents=True)
    bands = [ground(10, n, size).astype("i2") - 1000 for n, _ in enumerate(roles)]
    labels = np.zeros((size, size), dtype="u1")
    labels[:10, :10], labels[10:20, :10], labels[20:30, :10] = 3, 1, 2
    labels[:, -4:] = 255
    for band in bands:
        band[:, -4:] = -9999
    profile = {"driver": "GTiff", "height": size, "width": size, "crs": "EPSG:32632"}
    profile["transform"] = from_origin(500000, 5300000, 10, 10)
    kind = {"count": len(roles), "dtype": "int16", "nodata": -9999}
    with rasterio.open(folder / "a_reflectance.tif", "w", **profile, **kind) as raster:
        raster.write(np.stack(bands))
    kind = {"count": 1, "dtype": "uint8", "nodata": 255}
    with rasterio.open(folder / "a_mask.tif", "w", **profile, **kind) as raster:
        raster.write(labels, 1)
    properties = {
        "datetime": "2026-04-15T10:00:00.000Z",
        "platform": "landsat-8",
        "nndacss:recipe": "ab" * 32,
        "nndacss:level": level,
        "view:sun_elevation": 40.0,
        "nndacss:source_product": "LC08_L2SP_195025_20260415_20260420_02_T1",
    }
    assets = {
        "reflectance": {
            "href": "./a_reflectance.tif",
            "bands": [{"name": role} for role in roles],
        },
        "mask": {"href": "./a_mask.tif"},
    }
    item = {"id": "LC08_0f", "properties": properties, "assets": assets}
    (folder / "item.json").write_text(json.dumps(item))
    return folder


def mapped(place, root, *overrides, scene=None, threads=1):
    """The folder of a map, made in this process."""
    _, whole_, weights = place
    settings = load_settings(None, [f"land_cover.weights={weights}", *overrides])
    plan = map_plan(str(scene or whole_), settings, root / "scenes")
    plan.save(root)
    if plan.acquire is not None:
        acquired = begun(plan.acquire, root)
        (acquired.folder / DONE).write_text(json.dumps({"summary": dict(acquire_scene(acquired))}))
    context = Context(plan.order, root, root / "products", threads)
    context.folder.mkdir(parents=True, exist_ok=True)
    map_land_cover(context)
    return context.output / plan.order.target


def raster(folder, thing):
    (path,) = folder.glob(f"*_{thing}.tif")
    with rasterio.open(path) as opened:
        return opened.read()
