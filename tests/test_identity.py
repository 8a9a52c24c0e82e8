"""Which edit gives a result another name, and which does not."""

import dataclasses
import errno
import json
import os
from pathlib import Path

import pytest

from nndacss.errors import OutputError, SettingsError
from nndacss.identity import Order, Recipe, canonical, drafted, load_order

BASE = Recipe("mask", 1, {"mask": {"dilated": True}}, {"scene": "ab" * 32})


@pytest.mark.parametrize(
    ("change", "renames"),
    [
        ({"stage": "harmonize"}, True),
        ({"version": 2}, True),
        ({"settings": {"mask": {"dilated": False}}}, True),
        ({"settings": {"mask": {"dilated": True, "cirrus": False}}}, True),
        ({"inputs": {"scene": "cd" * 32}}, True),
        ({"inputs": {"scene": "ab" * 32, "l1": "ef" * 32}}, True),
        ({"level": "SR"}, True),
        ({"weights": "12" * 32}, True),
        ({"precision": "bf16"}, True),
        ({}, False),
    ],
)
def test_what_renames(change, renames):
    assert (dataclasses.replace(BASE, **change).digest != BASE.digest) == renames


def test_place_and_name_are_not_identity():
    one = Order(BASE, "scene", {"scene": "/data/a"})
    other = Order(BASE, "scene", {"scene": "/elsewhere/a.tar"})
    assert one.target == other.target == f"scene_{BASE.digest[:8]}"


def test_canonical_is_one_text_per_value():
    assert canonical({"b": [1, 2], "a": 0.1}) == canonical({"a": 0.1, "b": (1, 2)})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


def test_recipe_survives_the_disk(tmp_path):
    order = Order(BASE, "scene", {"scene": "/data/a"})
    assert load_order(order.save(tmp_path)) == order


def test_an_edited_recipe_is_refused(tmp_path):
    path = Order(BASE, "scene").save(tmp_path)
    data = json.loads(path.read_text())
    data["recipe"]["settings"]["mask"]["dilated"] = False
    path.write_text(json.dumps(data))
    with pytest.raises(SettingsError, match="recipes are not edited"):
        load_order(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 1}'])
def test_what_is_no_recipe_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(SettingsError, match=r"x\.json"):
        load_order(tmp_path / "x.json")


def test_a_draft_takes_its_place_or_vanishes(tmp_path):
    path = tmp_path / "deep" / "a.tif"
    with drafted(path) as draft:
        draft.write_text("one")
        assert draft.suffix == ".tif"
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(ZeroDivisionError), drafted(path) as draft:
        draft.write_text(str(1 / 0))
    assert path.read_text() == "one"
    assert os.listdir(path.parent) == ["a.tif"]


def test_a_full_disk_is_told_in_one_line(tmp_path):
    with pytest.raises(OutputError, match=r"No space.*free disk space"), drafted(tmp_path / "a"):
        raise OSError(28, "No space left on device")


def test_what_one_draft_inside_another_said_is_not_said_again(tmp_path):
    outer = pytest.raises(OutputError, match=r"^[^;]*b: found No space[^;]*; [^;]*; [^;]*$")
    with outer, drafted(tmp_path / "a"), drafted(tmp_path / "b"):
        raise OSError(28, "No space left on device")


def test_a_read_only_system_is_told_as_such(tmp_path, monkeypatch):
    """It refuses folders, and to remove even what is not there."""

    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    said = r"a: found Read-only file system while writing; expected a writable place; .*another"
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(OutputError, match=said), drafted(tmp_path / "a"):
        refused()
    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(OutputError, match=said), drafted(tmp_path / "b" / "a"):
        pass
