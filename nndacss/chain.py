"""The product chain as recipes: from a foreign scene and settings to the orders of all stages.

    acquire -> mask -> harmonize -> product

(where harmonization needs no network, it does not wait for the mask)

Light on purpose: it runs inside the scheduler's process, so it opens no raster and imports
neither numpy nor torch. Scenes are identified by names, sizes and metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from nndacss.acquire.source import Local, Source
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.weights import METRES, Choice, Target, choose
from nndacss.identity import Order, Recipe
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import PRECISION, planned_card
from nndacss.plugins import load
from nndacss.product.settings import ProductSettings, check_compose
from nndacss.readers import SceneIdentity
from nndacss.settings import Settings, version
from nndacss.tile.settings import TileSettings

STAGES = ("acquire", "mask", "harmonize", "product")


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before work starts."""

    scene: SceneIdentity
    l1: SceneIdentity | None
    orders: Mapping[str, Order]
    """Stage -> order, for all of `STAGES`."""
    losses: tuple[str, ...]
    """What is missing, one sentence each with what is lost by it."""
    harmonize: Choice
    """How the scene is harmonized."""


def plan(scene: Path | Source, l1: Path | Source | None, settings: Mapping[str, Settings]) -> Plan:
    """Resolve a scene, its Level-1 sibling and settings into the orders of all stages.

    A scene of an archive is planned from its metadata and file sizes; the acquire stage fetches
    it. Raises InputError where there is no product, and what `nndacss.harmonize.weights.choose` and
    `nndacss.product.settings.check_compose` raise. Whether the two are of one acquisition is the
    reader's to say, when the acquire stage opens them.
    """
    scene = Local(scene) if isinstance(scene, Path) else scene
    l1 = Local(l1) if isinstance(l1, Path) else l1
    identity = scene.identify()
    harmonize = cast(HarmonizeSettings, settings["harmonize"])
    making = cast(ProductSettings, settings["product"])
    check_compose(making, identity.name, identity.sensor, harmonize.roles)
    metres = _metres(cast(TileSettings, settings["tile"]))
    choice = choose(harmonize, Target(identity.name, identity.sensor, identity.level, metres))
    losses: list[str] = []
    has_pan = "pan" in load("sensors", identity.sensor).roles
    mask = cast(MaskSettings, settings["mask"])
    for_mask = mask.level != "SR" and planned_card(mask) is not None
    if identity.level == "SR" and l1 is None and has_pan and (harmonize.sharpen or for_mask):
        l1 = scene.find_l1()
        if l1 is None and harmonize.sharpen:
            lost = "detail below 30 m is inferred, not seen" if choice.cards else _PLAIN
            losses.append(
                f"no Level-1 product beside {scene.name}: no pan band, so {lost} "
                "(give it with --l1)"
            )
    sibling = l1.identify() if l1 else None
    location = scene.location("scene") | (l1.location("l1") if l1 else {})
    orders = _orders(identity, sibling, settings, choice, location)
    return Plan(identity, sibling, orders, tuple(losses), choice)


_PLAIN = "no detail below 30 m"


def _metres(tile: TileSettings) -> float:
    """Pixel size of the output; a bad grid is told where it is made."""
    parts = tile.grid.split(",") if tile.grid.startswith("box:") else []
    try:
        return float(parts[2])
    except (IndexError, ValueError):
        return METRES


def _orders(
    scene: SceneIdentity,
    l1: SceneIdentity | None,
    settings: Mapping[str, Settings],
    choice: Choice,
    location: Mapping[str, str],
) -> dict[str, Order]:
    masking = cast(MaskSettings, settings["mask"])
    harmonizing = cast(HarmonizeSettings, settings["harmonize"])
    roles = {k: v for k, v in harmonizing.changed().items() if k == "roles"}
    changed = {name: section.changed() for name, section in settings.items()}
    foreign = {"scene": scene.digest} | ({"l1": l1.digest} if l1 else {})

    card = planned_card(masking)
    places = {
        "mask": _machine(masking.device),
        "harmonize": _machine(harmonizing.device, choice.weights),
    }

    def order(stage: str, own: dict[str, Any], inputs: Mapping[str, str]) -> Order:
        kept = {name: values for name, values in own.items() if values}
        recipe = Recipe(stage, version(stage), kept, inputs, scene.level)
        if stage == "mask" and card is not None:
            recipe = replace(recipe, weights=card.sha256, precision=PRECISION)
        if stage == "harmonize" and choice.cards:
            recipe = replace(recipe, weights=choice.sha256, precision=choice.precision(harmonizing))
        return Order(recipe, scene.name, {**location, **places.get(stage, {})})

    acquire = order("acquire", {"harmonize": roles}, foreign)
    inputs = {"scene": acquire.recipe.digest}
    mask_settings = {"tile": changed["tile"], "mask": changed["mask"], "harmonize": roles}
    mask = order("mask", mask_settings, inputs)
    own = choice.recipe_settings(harmonizing)
    by_mask = {"mask": mask.recipe.digest} if choice.cards else {}
    harmonize = order("harmonize", {"tile": changed["tile"], "harmonize": own}, inputs | by_mask)
    inputs = inputs | {"mask": mask.recipe.digest, "harmonize": harmonize.recipe.digest}
    making = cast(ProductSettings, settings["product"])
    product = order("product", {"product": making.recipe_settings()}, inputs)
    return {"acquire": acquire, "mask": mask, "harmonize": harmonize, "product": product}


def _machine(device: str, weights: tuple[str, ...] = ()) -> dict[str, str]:
    """Where on this machine to compute, where the user said, and where weights lie."""
    places = {"device": device} if device != "auto" else {}
    return places | ({"weights": "\n".join(weights)} if weights else {})
