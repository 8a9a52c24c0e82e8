"""A small product made by the stage itself from rasters and a scene written here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.harmonize.bandpass import adjust
from nndacss.harmonize.result import quantize
from nndacss.harmonize.spectral import bandpass_spectral
from nndacss.identity import Order, Recipe
from nndacss.raster import Raster
from nndacss.readers.scene import QualityFlags
from nndacss.sensors import REFLECTIVE
from nndacss.stage import Context, stage_folder
from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, run_parts
from nndacss.tile.settings import TileSettings
from nndacss.tile.warp import nearest, warp

NAME = "LC08_L2SP_193029_20260703_20260710_02_T1"
TILE = {"window": 128, "part": 256}
#: QA_PIXEL: fill, clear, cloud, shadow, snow
CODES = {"fill": 1, "clear": 21824, "cloud": 22280, "shadow": 23888, "snow": 30048}


class FakeScene:
    """A scene of 30 m pixels in memory, edges at 30k + 15 m as Landsat has them."""

    def __init__(self, pixels, codes, plane):
        self.pixels, self.codes, self.plane = pixels, codes, plane
        self.identity = SimpleNamespace(
            name=NAME, acquired=datetime(2026, 7, 3, 10, 12, 5, tzinfo=UTC), digest="d" * 64
        )
        self.platform, self.level, self.collection = "landsat-8", "SR", "2"
        self.origin = "Image courtesy of the U.S. Geological Survey"
        self.sun_elevation, self.sun_azimuth = 41.25, 213.5
        self.roles, self.losses = REFLECTIVE, ("no sun angle bands: the centre's sun is used",)

    def grid(self, role):
        return self.plane

    def read(self, roles, grid=None, kernel="cubic"):
        chosen = self.pixels[[REFLECTIVE.index(role) for role in roles]]
        grid = self.plane if grid is None else grid
        return Raster(warp(chosen, self.plane, grid, kernel), grid, tuple(roles))

    def quality(self, grid=None):
        grid = self.plane if grid is None else grid
        return nearest(self.codes[None], self.plane, grid, 1)[0]

    def decode_quality(self, codes, confidence="high"):
        is_ = {name: codes == code for name, code in CODES.items()}
        none = np.zeros(codes.shape, dtype=bool)
        return QualityFlags(
            fill=is_["fill"], cloud=is_["cloud"], dilated=none, cirrus=none,
            shadow=is_["shadow"], snow=is_["snow"], water=none, clear=is_["clear"],
        )  # fmt: skip

    def sun_angles(self, grid):
        angles = np.empty((2, *grid.shape), dtype=np.float32)
        angles[0], angles[1] = self.sun_elevation, self.sun_azimuth
        return angles


def plane_30m() -> GeoBox:
    return GeoBox((240, 220), Affine(30, 0, 500_025, 0, -30, 4_999_995), "EPSG:32632")


def make_scene() -> FakeScene:
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:240, :220]
    waves = 0.15 + 0.05 * np.sin(rows / 9) * np.cos(columns / 7)
    pixels = np.stack([waves * (0.6 + 0.2 * i) for i in range(6)])
    pixels = (pixels + rng.normal(0, 0.004, pixels.shape)).astype(np.float32)
    codes = np.full((240, 220), CODES["clear"], dtype=np.uint16)
    for name, row, column, radius in (
        ("snow", 160, 175, 20),
        ("shadow", 95, 60, 30),
        ("cloud", 55, 74, 33),
    ):
        inside = np.hypot(rows - row, columns - column) < radius
        codes[inside] = CODES[name]
        pixels[:, inside] += {"snow": 0.4, "shadow": -0.05, "cloud": 0.5}[name]
    fill = columns < 25 - rows // 12
    pixels[:, fill], codes[fill] = np.nan, CODES["fill"]
    return FakeScene(pixels, codes, plane_30m())


def grid_10m() -> GeoBox:
    return GeoBox((700, 640), Affine(10, 0, 500_100, 0, -10, 4_999_900), "EPSG:32632")


def labels_of(codes):
    table = {"fill": 255, "clear": 0, "shadow": 1, "snow": 2, "cloud": 3}
    labels = np.full(codes.shape, 255, dtype=np.uint8)
    for name, code in CODES.items():
        labels[codes == code] = table[name]
    return labels


def write_stages(root: Path, scene: FakeScene, settings: dict) -> Context:
    """Work folders of acquire, mask and harmonize as those stages leave them."""
    work = root / "work"
    tile = TileSettings(**TILE)
    cut = parts(grid_10m(), tile)
    acquire = Order(Recipe("acquire", 1, {}, {"scene": "d" * 64}), NAME)
    inputs = {"scene": acquire.recipe.digest}
    mask = Order(Recipe("mask", 1, {"tile": TILE}, inputs), NAME)
    harmonize = Order(Recipe("harmonize", 1, {"tile": TILE}, inputs), NAME)
    both = {"mask": mask.recipe.digest, "harmonize": harmonize.recipe.digest}
    product = Order(Recipe("product", 1, settings, inputs | both), NAME)

    def image(grid):
        pixels = adjust(scene.read(REFLECTIVE, grid).pixels, REFLECTIVE, "sentinel-2a")
        counts = quantize(pixels)
        return {"reflectance": counts, "source": np.where(counts[:1] == -9999, 0, 17).astype("u1")}

    def masks(grid):
        quality = scene.quality(grid)
        return {"labels": labels_of(quality)[None], "quality": quality[None]}

    image_layers = (
        Layer("reflectance", "int16", -9999, REFLECTIVE, predictor=2),
        Layer("source", "uint8", 0, ("source",)),
    )
    mask_layers = (
        Layer("labels", "uint8", 255, ("mask",)),
        Layer("quality", "uint16", 1, ("quality",)),
    )
    spectral = bandpass_spectral("sentinel-2a")
    summaries = {
        "acquire": {"scene": "nowhere", "l1": None},
        "mask": {"method": "quality", "provisional": False, "note": "from the agency's bits"},
        "harmonize": {
            "method": "bandpass",
            "sensor": "sentinel-2a",
            "roles": list(REFLECTIVE),
            "spectral": {
                "roles": list(REFLECTIVE),
                "matrix": [list(row) for row in spectral.matrix],
                "offset": list(spectral.offset),
            },
            "pan": False,
            "losses": [],
        },
    }
    for order, layers, compute in (
        (acquire, (), None),
        (mask, mask_layers, masks),
        (harmonize, image_layers, image),
        (product, (), None),
    ):
        order.save(work)
        folder = stage_folder(work, order)
        folder.mkdir(parents=True)
        if compute:
            run_parts(cut, layers, folder, compute, 1, lambda *_: None)
            for layer in layers:
                mosaic(cut, layer, folder)
        if order is not product:
            done = {"seconds": 1.5, "summary": summaries[order.recipe.stage]}
            (folder / "stage.json").write_text(json.dumps(done))
    return Context(product, work, root / "products", 2)


@pytest.fixture(scope="session")
def scene():
    return make_scene()


@pytest.fixture(scope="session")
def chain(tmp_path_factory, scene):
    """The stages before the product, and the context to run it in."""
    return write_stages(tmp_path_factory.mktemp("chain"), scene, {})


@pytest.fixture(scope="session")
def patched(scene):
    """`open_scene` gives the scene above, whatever is asked for."""
    patch = pytest.MonkeyPatch()
    patch.setattr("nndacss.product.inputs.open_scene", lambda path, l1=None: scene)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def product(chain, patched):
    """The finished product folder."""
    from nndacss.product.stage import make_product

    make_product(chain)
    return chain.output / chain.order.target


@pytest.fixture(scope="session")
def truth(scene):
    """Labels of the whole product, computed at once."""
    return labels_of(scene.quality(grid_10m()))


def read(path):
    with rasterio.open(path) as raster:
        return raster.read()
