"""From settings to the order of an acquisition; light, it runs in the scheduler's process."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.landcovernet.remote import Store
from nndacss.landcovernet.settings import PLACES, LandCoverNetSettings
from nndacss.settings import Settings, restore, version

#: Files in the stage's folder: every file with its checksum; every date with its verdict.
MANIFEST, DATES = "manifest.csv", "dates.csv"


def landcovernet_order(settings: Mapping[str, Settings], name: str = "landcovernet") -> Order:
    """What to fetch; the recipe says what, the location how and where to."""
    own = cast(LandCoverNetSettings, settings["landcovernet"])
    changed = {key: value for key, value in own.changed().items() if key not in PLACES}
    places = {key: getattr(own, key) for key in PLACES}
    places["folder"] = str(Path(own.folder).resolve())
    location = {key: json.dumps(value) for key, value in places.items()}
    recipe = Recipe("landcovernet", version("landcovernet"), {"landcovernet": changed}, {})
    return Order(recipe, name, location)


def settings_of(order: Order) -> LandCoverNetSettings:
    """The settings that an order was made from."""
    places = {key: json.loads(value) for key, value in order.location.items()}
    changed = {**order.recipe.settings.get("landcovernet", {}), **places}
    return cast(LandCoverNetSettings, restore({"landcovernet": changed}, "landcovernet"))


def is_here(order: Order, manifest: Path) -> bool:
    """Whether all files of a manifest lie where the order puts them, by size."""
    folder = Path(settings_of(order).folder)
    try:
        with manifest.open(newline="") as rows:
            return all(
                (folder / row["path"]).stat().st_size == int(row["size"])
                for row in csv.DictReader(rows)
            )
    except OSError:
        return False


def chosen_chips(store: Store, settings: LandCoverNetSettings) -> dict[str, tuple[str, ...]]:
    """Continent -> its chips to fetch; SettingsError where the settings leave none."""
    from nndacss.landcovernet.estimate import spread

    chosen = {}
    for continent in settings.continents:
        chips = store.chips(continent)
        if settings.tiles:
            chips = tuple(chip for chip in chips if chip.split("_")[0] in settings.tiles)
        chosen[continent] = spread(chips, settings.chips) if settings.chips else chips
    if not any(chosen.values()):
        found = f"no chip of {', '.join(settings.tiles) or 'any tile'}"
        remedy = "correct landcovernet.tiles and landcovernet.continents"
        raise SettingsError(complain(settings.source, found, "at least one", remedy))
    return chosen
