"""From settings to the order of a cleaning; light, it runs in the scheduler's process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from nndacss.clean.settings import CleanSettings
from nndacss.identity import Order, Recipe
from nndacss.settings import Settings, restore, version

#: Files in the stage's folder: the table, the names that are kept, the page, a list to edit.
TABLE, LIST, PAGE, EDIT = "cleaning.csv", "kept.txt", "cleaning.html", "overrule.csv"


def clean_order(settings: Mapping[str, Settings], name: str = "landcovernet") -> Order:
    """What to clean.

    The recipe holds the archive's content and a person's list, not where they lie. DatasetError
    where there is no archive, SettingsError where the list cannot be read.
    """
    from nndacss.clean.content import fingerprints

    own = cast(CleanSettings, settings["clean"])
    places = {"folder": str(Path(own.folder).resolve())}
    if own.overrule:
        places["overrule"] = str(Path(own.overrule).resolve())
    changed = {key: value for key, value in own.changed().items() if key not in places}
    recipe = Recipe("clean", version("clean"), {"clean": changed}, fingerprints(own))
    return Order(recipe, name, places)


def settings_of(order: Order) -> CleanSettings:
    """The settings that an order was made from."""
    changed = {**order.recipe.settings.get("clean", {}), **order.location}
    return cast(CleanSettings, restore({"clean": changed}, "clean"))
