"""From settings to the order of a pair store; light, it runs in the scheduler's process.

The recipe holds how the pairs are made and the fingerprints of their sources. Where files lie is
no part of it: the same files elsewhere make the same store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss import entries
from nndacss.errors import SettingsError
from nndacss.identity import Order, Recipe
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
    stated = [entries.stated(entry, sources[entry.title]) for entry in own.sources]
    changed = {"pairs": own.changed() | {"sources": stated}}
    inputs = {title: entries.fingerprint(source) for title, source in sources.items()}
    recipe = Recipe("pairs", version("pairs"), changed, inputs)
    return Order(recipe, name, entries.located(sources))


def build(entry: Entry, location: Mapping[str, str] | None = None) -> Source:
    """The source of an entry; `location` is the order's, where its paths are not in the entry."""
    return entries.build(entry, KINDS[entry.kind], "pairs.sources", location)
