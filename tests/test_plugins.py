"""Every member of every plug-in folder keeps its folder's contract."""

import importlib
import inspect
from pathlib import Path

import pytest

from nndacss.datasets import Dataset
from nndacss.errors import SettingsError
from nndacss.plugins import EXPORTS, load, names
from nndacss.sensors import Sensor

MEMBERS = [(kind, name) for kind in EXPORTS for name in names(kind)]


def test_the_folders_are_not_empty():
    assert {kind for kind, _ in MEMBERS} == set(EXPORTS)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_members_export_the_agreed_object(kind, name):
    member = load(kind, name)
    if kind == "sensors":
        assert isinstance(member, Sensor)
        assert member.name == name
        assert len(set(member.roles)) == len(member.bands)
    elif kind == "readers":
        assert not member.recognises(Path("/nowhere"))
        assert member.expects
    elif kind == "labels":
        assert (member.name, len(member.colours)) == (name, len(member.classes))
        assert len(member.classes) <= 16, "a set of classes is 16 bits"
    elif kind == "datasets":
        assert issubclass(member, Dataset)
        assert member.scheme in names("labels")
    elif kind == "compose":
        assert list(inspect.signature(member).parameters) == ["views", "options", "rng"]
    else:
        assert list(inspect.signature(member).parameters)[:2] == ["scene", "grid"]
        assert len(inspect.signature(member).parameters) == 3


@pytest.mark.parametrize("kind", EXPORTS)
def test_the_folder_says_how_to_add_one(kind):
    text = importlib.import_module(f"nndacss.{kind}").__doc__ or ""
    extra = importlib.import_module("nndacss.readers.scene").__doc__ if kind == "readers" else ""
    assert "One more sensor" in text if kind == "sensors" else "To add" in text + str(extra)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(SettingsError, match="bandpass"):
        load("harmonize", "magic")
