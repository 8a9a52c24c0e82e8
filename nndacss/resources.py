"""Where the default configs and our own weights lie, in a checkout and once installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from nndacss.errors import SettingsError, complain


def folder(kind: str) -> Path:
    """`configs` or `checkpoints`: the installed copy, or the checkout's."""
    spec = importlib.util.find_spec(f"nndacss._{kind}")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else Path(__file__).parent.parent / kind


def config_file(name: str) -> Path:
    """A config by path, or by the name of one that is installed (`default.toml`)."""
    path = Path(name)
    if path.exists():
        return path
    bundled = folder("configs") / name
    if bundled.exists():
        return bundled
    known = ", ".join(sorted(file.name for file in folder("configs").glob("*.toml")))
    expected = f"a path, or one of the installed configs: {known}"
    raise SettingsError(complain(name, "no such file", expected, "check --config"))
