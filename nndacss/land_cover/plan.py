"""From a scene or product and weights to the orders of a map; light, for the scheduler's process.

A Sentinel-2 scene goes through the acquire stage, which checks and unpacks it. A product folder
of AdaptScene was checked when it was made, and is read where it lies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from nndacss.acquire.source import Sources
from nndacss.errors import InputError, SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.land_cover.settings import LandCoverSettings
from nndacss.models.card import LandCoverCard, find, load_card
from nndacss.plugins import load
from nndacss.settings import Settings, version

#: What the network computes in.
PRECISION = "float32"
ITEM = "item.json"


@dataclass(frozen=True)
class MapPlan:
    """Everything that is decided before work starts."""

    order: Order
    """The `land_cover` stage."""
    acquire: Order | None
    """The `acquire` stage of a foreign scene; None for a product of ours."""

    def save(self, work: Path) -> None:
        """Write the recipes."""
        for order in (self.acquire, self.order):
            if order is not None:
                order.save(work)


def map_plan(scene: str, settings: Mapping[str, Settings], scenes: Path) -> MapPlan:
    """The map of `scene`; a scene of an archive is fetched into `scenes`.

    SettingsError without weights, WeightsError where they are none of land cover, InputError for
    an image that lacks what they need.
    """
    own = cast(LandCoverSettings, settings["land_cover"])
    if not own.weights:
        remedy = "name them with --weights, e.g. the card that TrainSegmentation wrote"
        raise SettingsError(complain("land_cover.weights", "none", "weights of land cover", remedy))
    card = load_card(own.weights, LandCoverCard)
    location = {"weights": str(find(own.weights).resolve())}
    location |= {"device": own.device} if own.device != "auto" else {}
    product = product_item(Path(scene))
    if product is not None:
        properties = product["properties"]
        check(card, own, product["id"], properties["nndacss:level"], bands_of_item(product))
        inputs = {"product": str(properties["nndacss:recipe"])}
        name, level = str(properties["nndacss:source_product"]), properties["nndacss:level"]
        acquire, place = None, {"product": str(Path(scene).resolve())}
    else:
        source = Sources(scenes, settings).of(scene)
        found = source.identify()
        if found.sensor != "sentinel2_msi":
            remedy = "adapt it first (AdaptScene), and map the product that comes of it"
            expected = "a Sentinel-2 scene or a product folder"
            raise InputError(complain(found.name, f"a scene of {found.sensor}", expected, remedy))
        check(card, own, found.name, found.level, load("sensors", found.sensor).roles)
        foreign = {"scene": found.digest}
        recipe = Recipe("acquire", version("acquire"), {}, foreign, found.level)
        place = source.location("scene")
        acquire = Order(recipe, found.name, place)
        inputs, name, level = {"scene": recipe.digest}, found.name, found.level
    changed = {key: settings[key].changed() for key in ("land_cover", "tile")}
    kept = {key: values for key, values in changed.items() if values}
    recipe = Recipe(
        "land_cover", version("land_cover"), kept, inputs, level, card.sha256, PRECISION
    )
    return MapPlan(Order(recipe, f"{name}_landcover", {**location, **place}), acquire)


def corrects(card: LandCoverCard, level: str) -> bool:
    """Whether an image of `level` must have its air taken off for the card's network."""
    return level == "TOA" and level not in card.levels


def check(
    card: LandCoverCard, settings: LandCoverSettings, name: str, level: str, roles: Sequence[str]
) -> None:
    """InputError unless the card's network can work on such an image."""
    refused = level not in card.levels
    if corrects(card, level) and settings.toa == "correct":
        refused = "cirrus" in card.bands  # that band never saw the ground
    if refused:
        expected = f"{' or '.join(card.levels)} reflectance, which {card.name} was trained on"
        remedy = "take the Level-2A product, or the product of a Level-2 scene"
        raise InputError(complain(name, f"{level} reflectance", expected, remedy))
    lacking = [role for role in card.bands if named(role, card, roles) not in roles]
    if lacking:
        expected = f"{', '.join(card.bands)}, which {card.name} needs"
        remedy = "take weights that were trained on the bands that there are"
        found = f"no {', '.join(lacking)}"
        raise InputError(complain(name, found, expected, remedy))


def named(role: str, card: LandCoverCard, roles: Sequence[str]) -> str:
    """Under which name an image with the bands `roles` has a band of the network."""
    return role if role in roles else card.stand_in.get(role, role)


def product_item(path: Path) -> dict[str, Any] | None:
    """The STAC item of a product folder of ours; None where `path` is none.

    InputError for a product that is not whole, or whose item cannot be read.
    """
    place = path / ITEM
    if not place.is_file():
        return None
    try:
        item: dict[str, Any] = json.loads(place.read_text())
        wanted = ("nndacss:recipe", "nndacss:level", "nndacss:source_product", "view:sun_elevation")
        lacking = [key for key in wanted if key not in item["properties"]]
        if lacking or not {"reflectance", "mask"} <= set(item["assets"]):
            raise ValueError(f"no {', '.join(lacking) or 'reflectance and mask'}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = "the item of a product of AdaptScene"
        remedy = "make the product again, or give a SAFE"
        found = f"an item with {type(error).__name__}: {error}"
        raise InputError(complain(place, found, expected, remedy)) from error
    return item


def bands_of_item(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Roles of a product's reflectance."""
    return tuple(band["name"] for band in item["assets"]["reflectance"]["bands"])
