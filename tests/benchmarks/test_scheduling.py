"""Scenes whose stages do nothing, executed."""

import scheduling


def test_every_scene_is_executed(tmp_path):
    """`execute` itself ends the program where one is not."""
    seconds, core = scheduling.execute(scheduling.Case(3, 2, 1, "local"), tmp_path)
    assert core > 0
    assert seconds > 0
    assert len(list((tmp_path / "products").glob("*/item.json"))) == 3
