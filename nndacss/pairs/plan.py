"""From settings to the order of a pair store; light, it runs in the scheduler's process.

The recipe holds how the pairs are made and the fingerprints of their sources. Where files lie is
no part of it: the same files elsewhere make the same store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe, digest
from nndacss.pairs.kinds import KINDS
from nndacss.pairs.settings import Entry, PairsSettings
from nndacss.pairs.source import Source
from nndacss.settings import Settings, version

#: File of the store in the stage's folder.
STORE = "pairs.h5"


def pairs_order(settings: Mapping[str, Settings], name: str = "pairs") -> Order:
    """What to make. SettingsError for a wrong option, DatasetError where a source is missing."""
    own = cast(PairsSettings, settings["pairs"])
    if not own.sources:
        raise SettingsError("no [[pairs.sources]] in the config: nothing to make pairs from")
    sources = {entry.title: build(entry) for entry in own.sources}
    entries = [_entry(entry, sources[entry.title]) for entry in own.sources]
    changed = {"pairs": own.changed() | {"sources": entries}}
    inputs = {title: fingerprint(source) for title, source in sources.items()}
    location = {
        f"{title}.{key}": path
        for title, source in sources.items()
        for key, path in source.places().items()
    }
    return Order(Recipe("pairs", version("pairs"), changed, inputs), name, location)


def build(entry: Entry, location: Mapping[str, str] | None = None) -> Source:
    """The source of an entry; `location` is the order's, where its paths are not in the entry."""
    kind = KINDS[entry.kind]
    prefix = f"{entry.title}."
    places = {
        k.removeprefix(prefix): v for k, v in (location or {}).items() if k.startswith(prefix)
    }
    try:
        return kind.model_validate(entry.options | places)
    except ValidationError as error:
        raise SettingsError(_complaint(entry, kind, error)) from error


def fingerprint(source: Source) -> str:
    """sha256 hex of what decides a source's content."""
    return digest(source.fingerprint())


def _entry(entry: Entry, source: Source) -> dict[str, Any]:
    """An entry without its paths and defaults."""
    own = entry.model_dump(include=set(Entry.model_fields), exclude_defaults=True)
    return {**own, **source.options()}


def _complaint(entry: Entry, kind: type[Source], error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    subject = f"[[pairs.sources]] {entry.title}"
    known = ", ".join(kind.model_fields)
    if first["type"] == "extra_forbidden":
        return complain(subject, f"unknown option {key}", f"one of {known}", "correct the name")
    if first["type"] == "missing":
        return complain(subject, f"no {key}", f"options {known}", f"add {key} = ...")
    found = f"{key} = {first['input']!r}" if key else "options that do not go together"
    return complain(subject, found, first["msg"], "correct the value")
