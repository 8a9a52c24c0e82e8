"""The product chain as recipes: from a foreign scene and settings to the orders of all stages.

    acquire -> mask -> product
            -> harmonize ^

Light on purpose: it runs inside the scheduler's process, so it opens no raster and imports
neither numpy nor torch. Scenes are identified by names, sizes and metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.identity import Order, Recipe
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import PRECISION, planned_card
from nndacss.plugins import load
from nndacss.readers import SceneIdentity, find_l1, identify
from nndacss.settings import Settings, version

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


def plan(scene: Path, l1: Path | None, settings: Mapping[str, Settings]) -> Plan:
    """Resolve a scene, its Level-1 sibling and settings into the orders of all stages.

    Raises InputError where there is no product. Whether the two are of one acquisition is the
    reader's to say, when the acquire stage opens them.
    """
    identity = identify(scene)
    harmonize = cast(HarmonizeSettings, settings["harmonize"])
    losses: list[str] = []
    has_pan = "pan" in load("sensors", identity.sensor).roles
    mask = cast(MaskSettings, settings["mask"])
    for_mask = mask.level != "SR" and planned_card(mask) is not None
    if identity.level == "SR" and l1 is None and has_pan and (harmonize.sharpen or for_mask):
        l1 = find_l1(scene)
        if l1 is None and harmonize.sharpen:
            losses.append(
                f"no Level-1 product beside {scene.name}: no pan band, so no detail below 30 m "
                "(give it with --l1)"
            )
    sibling = identify(l1) if l1 else None
    location = {"scene": str(scene.resolve())} | ({"l1": str(l1.resolve())} if l1 else {})
    location |= {"device": mask.device} if mask.device != "auto" else {}
    orders = _orders(identity, sibling, settings, location)
    return Plan(identity, sibling, orders, tuple(losses))


def _orders(
    scene: SceneIdentity,
    l1: SceneIdentity | None,
    settings: Mapping[str, Settings],
    location: Mapping[str, str],
) -> dict[str, Order]:
    roles = {k: v for k, v in settings["harmonize"].changed().items() if k == "roles"}
    changed = {name: section.changed() for name, section in settings.items()}
    foreign = {"scene": scene.digest} | ({"l1": l1.digest} if l1 else {})

    card = planned_card(cast(MaskSettings, settings["mask"]))

    def order(stage: str, own: dict[str, Any], inputs: Mapping[str, str]) -> Order:
        kept = {name: values for name, values in own.items() if values}
        recipe = Recipe(stage, version(stage), kept, inputs, scene.level)
        if stage == "mask" and card is not None:
            recipe = replace(recipe, weights=card.sha256, precision=PRECISION)
        return Order(recipe, scene.name, location)

    acquire = order("acquire", {"harmonize": roles}, foreign)
    inputs = {"scene": acquire.recipe.digest}
    mask_settings = {"tile": changed["tile"], "mask": changed["mask"], "harmonize": roles}
    mask = order("mask", mask_settings, inputs)
    harmonize_settings = {"tile": changed["tile"], "harmonize": changed["harmonize"]}
    harmonize = order("harmonize", harmonize_settings, inputs)
    inputs = inputs | {"mask": mask.recipe.digest, "harmonize": harmonize.recipe.digest}
    product = order("product", {"product": changed["product"]}, inputs)
    return {"acquire": acquire, "mask": mask, "harmonize": harmonize, "product": product}
