"""A small simulated scene, small harmonizers, and the harmonize stage run on a mask of our own."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS

import nndacss
from nndacss.chain import plan
from nndacss.errors import LossWarning
from nndacss.harmonize.stage import harmonize_scene
from nndacss.readers import open_scene
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat
from nndacss.stage import Context
from tests.models.small_harmonizer import small_harmonizer

WINDOW = 128


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Three small networks with random weights: their cards' paths."""
    folder = tmp_path_factory.mktemp("weights")
    return [small_harmonizer(folder, f"member{seed}", seed) for seed in range(3)]


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A simulated scene of about 600 x 650 pixels at 10 m, with a corner of fill."""
    folder = tmp_path_factory.mktemp("scenes")
    return write_landsat(folder, seed=5, rows=200, columns=215, swath=12.0)


@pytest.fixture(scope="session")
def scene(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return open_scene(pair.l2, pair.l1)


@pytest.fixture(scope="session")
def whole(scene):
    """The output grid over the whole scene."""
    return nndacss.output_grid(scene)


@pytest.fixture(scope="session")
def labels(scene, whole):
    """A mask over all of it: clear and some snow, and windows of the lattice all in cloud."""
    codes = np.zeros(whole.shape, dtype=np.uint8)
    codes[40:90, 100:200] = 2
    codes[:70, 500:] = 3
    for row, column in ((2, 2), (2, 3), (4, 1)):
        codes[window_of(whole, row, column)] = 3
    codes[window_of(whole, 1, 1)] = 1
    codes[~scene.present(("red",), whole)] = 255
    return codes


def window_of(grid, row, column):
    """Rows and columns of a lattice window, counted from the first whole one of `grid`."""
    affine = grid.affine
    first = (-round(affine.f / affine.e) % WINDOW, -round(affine.c / affine.a) % WINDOW)
    top, left = (start + k * WINDOW for start, k in zip(first, (row, column), strict=True))
    return np.s_[top : top + WINDOW, left : left + WINDOW]


@dataclass
class Run:
    """What a run of the stage left."""

    folder: Path
    summary: dict

    def read(self, name):
        """Pixels of a layer."""
        with rasterio.open(self.folder / f"{name}.vrt") as raster:
            return raster.read()

    @property
    def grid(self):
        with rasterio.open(self.folder / "source.vrt") as raster:
            return GeoBox.from_rio(raster)


@pytest.fixture(scope="session")
def stage(pair, weights, whole, labels):
    """Run the stage as its task does: `stage(folder, *settings)`."""

    def run(folder, *overrides, codes=None, threads=1, l1=True, names=None, change=None):
        names = json.dumps([str(name) for name in (names or weights[:1])])
        settings = ["harmonize.method=deep", f"harmonize.weights={names}", "harmonize.device=cpu"]
        settings += ["harmonize.precision=float32"]  # as exact as arithmetic by hand
        settings += [f"tile.window={WINDOW}", "tile.part=256", *overrides]
        lone = pair.l2 if l1 else alone(pair.l2, folder)
        planned = plan(lone, pair.l1 if l1 else None, load_settings(None, settings))
        for order in planned.orders.values():
            order.save(folder)
        if change:
            change()
        places = {"scene": str(lone), "l1": str(pair.l1) if l1 else None}
        contexts = {
            name: Context(order, folder, folder, threads) for name, order in planned.orders.items()
        }
        for name in ("acquire", "mask"):
            contexts[name].folder.mkdir(parents=True, exist_ok=True)
            done = {"summary": places if name == "acquire" else {}, "seconds": 0.0}
            (contexts[name].folder / "stage.json").write_text(json.dumps(done))
        grid = nndacss.output_grid(scene_of(places), **load_tile(settings))
        shown = piece_of(labels if codes is None else codes, whole, grid)
        write_labels(contexts["mask"].folder / "labels.vrt", shown, grid)
        contexts["harmonize"].folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)
            summary = harmonize_scene(contexts["harmonize"])
        return Run(contexts["harmonize"].folder, dict(summary))

    return run


def alone(path, folder):
    """The product in a folder without its sibling."""
    link = folder / "alone" / path.name
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(path)
    return link


def scene_of(places):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return open_scene(places["scene"], places["l1"])


def load_tile(settings):
    return load_settings(None, settings)["tile"].changed()


def write_labels(path, codes, grid):
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": 255}
    profile |= {"height": grid.shape[0], "width": grid.shape[1], "transform": grid.affine}
    with rasterio.open(path, "w", crs=CRS.from_user_input(str(grid.crs)), **profile) as raster:
        raster.write(codes[None])


def piece_of(pixels, grid, place):
    """The pixels on `grid` that lie on `place`, a part of it."""
    at = ~grid.affine @ place.affine
    top, left = round(at.f), round(at.c)
    return pixels[..., top : top + place.shape[0], left : left + place.shape[1]]


class Moody:
    """A network without bound: each tile adds its own mood, and errs at the tile's edge."""

    batch, classes, multiple, reach, uncertain = 1, 12, 32, 0, True

    def __init__(self, card):
        self.cards = (replace_card(card),)
        self.calls = []

    def __call__(self, pixels):
        self.calls.append(pixels.shape)
        bands = np.nan_to_num(pixels[:, :6], nan=0.1)
        mood = 0.3 * bands.mean(axis=(1, 2, 3)) - 0.2 * bands.std(axis=(1, 2, 3))
        result = bands + mood.astype(np.float32)[:, None, None, None]
        result[:, :, :8] = result[:, :, -8:] = 3
        result[..., :8] = result[..., -8:] = 3
        return np.concatenate([result, 0.01 + 0.1 * np.abs(result)], axis=1)


def replace_card(card):
    return card.model_copy(update={"reach": 0, "multiple": 32, "snow": 2.0})
