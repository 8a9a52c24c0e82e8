"""Windows of JPEG 2000 files with many blocks, against rasterio, and what is kept of them."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import nndacss
from nndacss.readers.layers import Layer
from nndacss.readers.sentinel2.blocks import Blocks
from tests.readers.safe_recipes import Recipe, write_image

SIDE = 1104


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    """The red band of a product, in blocks of 1024 pixels as ESA's, and its DN."""
    rng = np.random.default_rng(4)
    numbers = rng.integers(1, 9000, (SIDE, SIDE)).astype("u2")
    recipe = Recipe(size=SIDE, without=("B04",), suffix="tif")
    safe = recipe.write(tmp_path_factory.mktemp("safe"))
    path = safe / "GRANULE" / recipe.granule("32UMC") / f"{recipe.image('B04', 10, '32UMC')}.jp2"
    write_image(path, numbers, from_origin(*recipe.corner, 10, 10), recipe.epsg)
    with rasterio.open(path) as file:
        assert file.block_shapes == [(1024, 1024)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nndacss.open_scene(safe)._layer("red"), numbers


@pytest.mark.parametrize(
    "place",
    [
        np.s_[0:SIDE, 0:SIDE],
        np.s_[1023:1025, 1023:1025],
        np.s_[0:1024, 1024:SIDE],
        np.s_[10:20, 900:SIDE],
        np.s_[SIDE - 1 : SIDE, 0:1],
        np.s_[5:5, 0:10],
        np.s_[5:9, 10:10],
    ],
)
def test_any_window(red, place) -> None:
    layer, numbers = red
    np.testing.assert_array_equal(layer.window(*place), numbers[place])


def test_neighbouring_windows_decode_a_block_once(red, monkeypatch) -> None:
    layer, _ = red
    layer.blocks._kept.clear()
    decoded = []
    real = Layer.window

    def counted(self, rows, columns):
        decoded.append((rows.start, columns.start))
        return real(self, rows, columns)

    monkeypatch.setattr(Layer, "window", counted)
    for row in range(0, SIDE, 276):
        for column in range(0, SIDE, 276):
            layer.window(slice(row, row + 276), slice(column, column + 276))
    assert sorted(decoded) == [(0, 0), (0, 1024), (1024, 0), (1024, 1024)]


def test_many_threads(red) -> None:
    layer, numbers = red
    layer.blocks._kept.clear()
    starts = range(0, SIDE - 100, 100)
    places = [np.s_[row : row + 100, column : column + 100] for row in starts for column in starts]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda place: layer.window(*place), places))
    for place, window in zip(places, found, strict=True):
        np.testing.assert_array_equal(window, numbers[place])


def test_no_more_than_the_limit_is_kept() -> None:
    blocks = Blocks(limit=350)
    for index in range(10):
        blocks.get(("a", index, 0), lambda: np.zeros(100, dtype="u1"))
    assert [key[1] for key in blocks._kept] == [7, 8, 9]
    blocks.get(("a", 7, 0), lambda: pytest.fail("it was kept"))
    blocks.get(("b", 0, 0), lambda: np.zeros(100, dtype="u1"))
    assert [key[:2] for key in blocks._kept] == [("a", 9), ("a", 7), ("b", 0)]
    blocks.get(("c", 0, 0), lambda: np.zeros(1000, dtype="u1"))
    assert list(blocks._kept) == [("c", 0, 0)]


def test_a_failed_decoding_keeps_nothing_and_blocks_nobody() -> None:
    blocks = Blocks()

    def broken():
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        blocks.get(("a", 0, 0), broken)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(blocks.get(("a", 0, 0), lambda: np.ones(3)))
    )
    thread.start()
    thread.join(5)
    assert len(done) == 1
