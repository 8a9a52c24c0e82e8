"""Rectangles: what a network sees of a scene; and several as one batch, each its own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from scipy.ndimage import uniform_filter

from nndacss.harmonize.fields import Near, Together


class Card:
    """Adds 1, slowly, and remembers the batches."""

    batch, classes = 4, 1

    def __init__(self):
        self.batches, self.at_once, self.lock = [], 0, threading.Lock()

    def __call__(self, pixels):
        assert self.lock.acquire(blocking=False), "two at once"
        self.batches.append(len(pixels))
        time.sleep(0.01)
        self.lock.release()
        if (pixels < 0).any():
            raise ValueError("bad pixels")
        return pixels + 1


def test_batches_of_what_waits():
    card = Card()
    together = Together(card)
    sizes = [8, 8, 8, 5] * 8
    images = [np.full((1, 1, size, 8), k, dtype=np.float32) for k, size in enumerate(sizes)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(together, images))
    assert all(np.array_equal(one, image + 1) for one, image in zip(found, images, strict=True))
    assert sum(card.batches) == len(images)
    assert 1 < max(card.batches) <= card.batch


def test_an_error_reaches_its_own_thread_and_stops_no_other():
    together = Together(Card())
    images = [np.full((1, 1, 8, 8), -1.0 if k == 3 else k, dtype=np.float32) for k in range(9)]
    with ThreadPoolExecutor(1) as pool:
        found = [pool.submit(together, image) for image in images]
    with pytest.raises(ValueError, match="bad pixels"):
        found[3].result()
    assert np.array_equal(found[4].result(), images[4] + 1)


REACH = 7


class Box:
    """The mean over a square that reaches `REACH` pixels, of the first band; missing is 0."""

    reach, multiple, batch, classes = REACH, 6, 1, 1

    def __init__(self):
        self.shapes = []

    def __call__(self, pixels):
        self.shapes.append(pixels.shape[2:])
        filled = np.nan_to_num(pixels[:, :1])
        return uniform_filter(filled, (1, 1, 2 * REACH + 1, 2 * REACH + 1), mode="constant")


def test_nothing_is_computed_beyond_the_scene():
    """A scene that ends inside a window: its pixels are as on the whole, the rest is not run."""
    rng = np.random.default_rng(0)
    scene = np.full((2, 300, 300), np.nan, dtype=np.float32)
    scene[:, 101:180, 60:251] = rng.random((2, 79, 191))
    whole = GeoBox((300, 300), Affine(10, 0, 0, 0, -10, 0), "EPSG:32632")

    def read(grid):
        found = np.full((2, *grid.shape), np.nan, dtype=np.float32)
        left, top = (round(part) for part in ~whole.affine @ (grid.affine.c, grid.affine.f))
        rows, columns = (
            (max(first, 0), min(first + size, 300))
            for first, size in zip((top, left), grid.shape, strict=True)
        )
        found[:, rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left] = scene[
            :, rows[0] : rows[1], columns[0] : columns[1]
        ]
        return found

    network = Box()
    near = Near(network, network, read)
    expected = np.where(np.isnan(scene[:1]), np.nan, Box()(scene[None])[0])
    for at in (np.s_[90:210, 40:170], np.s_[128:256, 128:256], np.s_[0:300, 0:300]):
        np.testing.assert_allclose(near(whole[at]), expected[:, *at], atol=1e-6)
    assert network.shapes[-1][0] < 79 + 2 * (REACH + 6)
    assert all(side % 6 == 0 for shape in network.shapes for side in shape)
    empty = near(whole[0:60, 0:60])
    assert np.isnan(empty).all()
    assert len(network.shapes) == 3
