"""From settings to the order of a file of patches; light, it runs in the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss import entries
from nndacss.domains.kinds import KINDS
from nndacss.domains.settings import DomainsSettings, Entry
from nndacss.domains.source import Source
from nndacss.errors import SettingsError
from nndacss.identity import Order, Recipe
from nndacss.settings import Settings, version

#: File of the patches in the stage's folder.
STORE = "domains.h5"


def domains_order(settings: Mapping[str, Settings], name: str = "domains") -> Order:
    """What to make. SettingsError for a wrong option, DatasetError where a source is missing."""
    own = cast(DomainsSettings, settings["domains"])
    if not own.sources:
        raise SettingsError("no [[domains.sources]] in the config: nothing to make patches from")
    sources = {entry.title: build(entry) for entry in own.sources}
    stated = [entries.stated(entry, sources[entry.title]) for entry in own.sources]
    changed = {"domains": own.changed() | {"sources": stated}}
    inputs = {title: entries.fingerprint(source) for title, source in sources.items()}
    recipe = Recipe("domains", version("domains"), changed, inputs)
    return Order(recipe, name, entries.located(sources))


def build(entry: Entry, location: Mapping[str, str] | None = None) -> Source:
    """The source of an entry; `location` is the order's, where its paths are not in the entry."""
    return entries.build(entry, KINDS[entry.kind], "domains.sources", location)
