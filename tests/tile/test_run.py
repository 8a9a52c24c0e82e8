"""Parts on disk: whole or absent, not computed again, the same whatever the sharing."""

import hashlib
import threading

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.tile.mosaic import mosaic
from nndacss.tile.parts import parts
from nndacss.tile.run import Layer, part_file, run_parts
from nndacss.tile.settings import TileSettings

GRID = GeoBox((300, 280), Affine(10, 0, 500_330, 0, -10, 5_000_070), "EPSG:32632")
SETTINGS = TileSettings(window=64, part=128)
LAYER = Layer("height", "int16", -9999, ("a", "b"), predictor=2)


def coordinates(grid):
    """Pixels whose values are their own place, so that any shift shows."""
    rows, columns = grid.shape
    x = (grid.affine.c - 500_000) / 10 + np.arange(columns)
    y = (5_000_100 - grid.affine.f) / 10 + np.arange(rows)
    plane = np.stack(
        [np.broadcast_to(x, (rows, columns)), np.broadcast_to(y[:, None], (rows, columns))]
    )
    return {"height": plane.astype(np.int16)}


def quiet(done, total):
    pass


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("parts/*.tif")}


def test_mosaic_holds_every_pixel_in_its_place(tmp_path):
    cut = parts(GRID, SETTINGS)
    assert len(cut) > 4
    assert run_parts(cut, [LAYER], tmp_path, coordinates, 2, quiet) == len(cut)
    with rasterio.open(mosaic(cut, LAYER, tmp_path)) as raster:
        assert raster.transform.almost_equals(GRID.affine)
        assert raster.shape == GRID.shape
        assert raster.nodata == -9999
        assert raster.descriptions == ("a", "b")
        assert (raster.read() == coordinates(GRID)["height"]).all()


def test_the_folder_can_be_moved(tmp_path):
    cut = parts(GRID, SETTINGS)
    run_parts(cut, [LAYER], tmp_path / "a", coordinates, 1, quiet)
    mosaic(cut, LAYER, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with rasterio.open(tmp_path / "b" / "height.vrt") as raster:
        assert (raster.read() == coordinates(GRID)["height"]).all()


def test_threads_do_not_change_bytes(tmp_path):
    cut = parts(GRID, SETTINGS)
    run_parts(cut, [LAYER], tmp_path / "one", coordinates, 1, quiet)
    run_parts(list(reversed(cut)), [LAYER], tmp_path / "three", coordinates, 3, quiet)
    assert digests(tmp_path / "one") == digests(tmp_path / "three")


def test_finished_parts_are_not_computed_again(tmp_path):
    cut = parts(GRID, SETTINGS)
    run_parts(cut, [LAYER], tmp_path, coordinates, 2, quiet)
    before = digests(tmp_path)
    part_file(tmp_path, "height", cut[3]).unlink()
    seen = []

    def counting(grid):
        seen.append(threading.get_ident())
        return coordinates(grid)

    assert run_parts(cut, [LAYER], tmp_path, counting, 2, quiet) == 1
    assert len(seen) == sum(1 for _ in cut[3].windows())
    assert digests(tmp_path) == before


def test_a_failing_part_leaves_nothing_of_itself_and_keeps_the_others(tmp_path):
    cut = parts(GRID, SETTINGS)
    bad = [window.grid for window in cut[4].windows()]

    def failing(grid):
        if grid in bad:
            raise ValueError("no such pixel")
        return coordinates(grid)

    with pytest.raises(ValueError, match="no such pixel"):
        run_parts(cut, [LAYER], tmp_path, failing, 1, quiet)
    assert part_file(tmp_path, "height", cut[0]).exists()
    assert not part_file(tmp_path, "height", cut[4]).exists()
    assert not list(tmp_path.rglob(".draft-*"))


def test_progress_counts_what_was_there_already(tmp_path):
    cut = parts(GRID, SETTINGS)
    run_parts(cut[:2], [LAYER], tmp_path, coordinates, 1, quiet)
    told = []
    run_parts(
        cut, [LAYER], tmp_path, coordinates, 1, lambda done, total: told.append((done, total))
    )
    assert told[0] == (2, len(cut))
    assert told[-1] == (len(cut), len(cut))
