"""The speed table's own parts."""

from __future__ import annotations

import numpy as np
from affine import Affine
from harmonize_speed import memory_reader, seconds_of
from odc.geo.geobox import GeoBox


def test_windows_in_memory_are_the_image_and_nothing_beyond():
    pixels = np.arange(2 * 40 * 50, dtype=np.float32).reshape(2, 40, 50)
    grid = GeoBox((40, 50), Affine(10, 0, 500_030, 0, -10, 4_000_070), "EPSG:32632")
    read = memory_reader(pixels, grid)
    assert np.array_equal(read(grid[5:20, 7:30]), pixels[:, 5:20, 7:30])
    wider = GeoBox((60, 60), grid.affine @ Affine.translation(-4, -6), grid.crs)
    found = read(wider)
    assert np.array_equal(found[:, 6:46, 4:54], pixels)
    assert np.isnan(found).sum() == 2 * (60 * 60 - 40 * 50)
    away = GeoBox((8, 8), grid.affine @ Affine.translation(200, 0), grid.crs)
    assert np.isnan(read(away)).all()


def test_every_call_is_made_in_every_run():
    made = []
    seconds_of([lambda k=k: made.append(k) for k in range(5)], runs=3, threads=2)
    assert sorted(made) == sorted([0] + 3 * [0, 1, 2, 3, 4])
