"""What is told before a run: sizes by hand."""

from pathlib import Path

import pytest

from nndacss.estimate import expect, free_mb
from nndacss.tile.settings import TileSettings


def test_a_whole_scene():
    # 185 km x 180 km at 10 m: 333 million pixels
    assert expect(185 * 180, TileSettings(), 2).mpx == pytest.approx(333)


def test_an_area_is_smaller_than_its_scene():
    # 0.1 x 0.1 degrees at 60 degrees north: 11.12 km x 5.56 km
    found = expect(30_000, TileSettings(bbox=(10, 59.95, 10.1, 60.05)), 2)
    assert found.mpx == pytest.approx(11.12 * 5.56 / 100, rel=0.01)
    across = expect(30_000, TileSettings(bbox=(179.95, 59.95, -179.95, 60.05)), 2)
    assert across.mpx == pytest.approx(found.mpx)


def test_a_tile_and_a_box_have_their_own_size():
    assert expect(1, TileSettings(grid="mgrs:32TQM"), 2).mpx == pytest.approx(120.56, rel=1e-3)
    assert expect(1, TileSettings(grid="box:EPSG:32632:0,0,10,300,200"), 2).mpx == pytest.approx(
        0.06
    )


def test_more_threads_are_faster_and_take_more_memory():
    one, four = expect(1000, TileSettings(), 1), expect(1000, TileSettings(), 4)
    assert four.seconds < one.seconds
    assert four.memory > one.memory


def test_a_network_takes_more_of_all():
    plain, deep = (expect(1000, TileSettings(), 2, deep=deep) for deep in (False, True))
    assert deep.mpx == plain.mpx
    for name in ("seconds", "memory", "work", "product"):
        assert getattr(deep, name) > getattr(plain, name)


def test_composing_takes_time_and_work_files():
    plain, composed = (expect(1000, TileSettings(), 2, composed=c) for c in (False, True))
    assert composed.seconds > plain.seconds
    assert composed.work > plain.work


def test_free_space_is_that_of_the_disk(tmp_path):
    assert free_mb(tmp_path / "not" / "there") == pytest.approx(free_mb(Path(tmp_path)), rel=0.2)
