"""From settings to the order of a mask bank; light, it runs in the scheduler's process.

The recipe holds what is kept and the fingerprints of the sources. Where files lie is no part of
it: the same files elsewhere make the same bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss import entries
from nndacss.errors import SettingsError
from nndacss.identity import Order, Recipe
from nndacss.mask_bank.settings import MaskBankSettings
from nndacss.mask_bank.sources import build
from nndacss.settings import Settings, version

#: File of the bank in the stage's folder.
STORE = "mask_bank.h5"


def mask_bank_order(settings: Mapping[str, Settings], name: str = "bank") -> Order:
    """What to harvest. SettingsError for a wrong option, DatasetError where a source is missing."""
    own = cast(MaskBankSettings, settings["mask_bank"])
    if not own.sources:
        raise SettingsError("no [[mask_bank.sources]] in the config: nothing to take masks from")
    sources = {entry.title: build(entry) for entry in own.sources}
    stated = [entries.stated(entry, sources[entry.title]) for entry in own.sources]
    changed = {"mask_bank": own.changed() | {"sources": stated}}
    inputs = {title: entries.fingerprint(source) for title, source in sources.items()}
    recipe = Recipe("mask_bank", version("mask_bank"), changed, inputs)
    return Order(recipe, name, entries.located(sources))
