"""Methods, readers and sensors by file name: `load("harmonize", "bandpass")`.

The name of a module (or sub-package) inside a kind's folder is its name in the settings. It
exports one agreed object; the folder's docstring says which. Nothing is registered anywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from nndacss.errors import SettingsError

#: kind -> the object that each of its modules exports
EXPORTS = {
    "sensors": "SENSOR",
    "readers": "READER",
    "compose": "METHOD",
    "harmonize": "METHOD",
    "mask": "METHOD",
    "labels": "SCHEME",
    "datasets": "DATASET",
}


def load(kind: str, name: str) -> Any:
    """The object that module `name` of folder `kind` exports; SettingsError lists the names."""
    known = names(kind)
    if name not in known:
        raise SettingsError(f"{kind} = {name!r} is not known; choose one of: {', '.join(known)}")
    return getattr(importlib.import_module(f"nndacss.{kind}.{name}"), EXPORTS[kind])


def names(kind: str) -> tuple[str, ...]:
    """Names of all members of a kind, sorted.

    A member is a module that says so: its source exports the agreed object. Helpers in the same
    folder (`settings`, `stage`, ...) do not.

    >>> names("sensors")
    ('landsat5_tm', 'landsat7_etm', 'landsat8_oli', 'probav', 'sentinel2_msi')
    """
    package = importlib.import_module(f"nndacss.{kind}")
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        spec = module.module_finder.find_spec(module.name, None)
        source = getattr(spec.loader, "get_data", None) if spec and spec.loader else None
        if spec and spec.origin and source:
            text = source(spec.origin).decode()
            if f"\n{EXPORTS[kind]} = " in text or f"\n{EXPORTS[kind]}: " in text:
                found.append(module.name)
    return tuple(sorted(found))
