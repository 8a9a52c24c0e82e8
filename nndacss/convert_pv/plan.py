"""What one conversion is: the recipe, and the names of what it makes. Opens no raster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nndacss.convert_pv.settings import ConvertSettings
from nndacss.errors import DatasetError, InputError, complain
from nndacss.identity import Order, Recipe
from nndacss.readers import find_l1, identify
from nndacss.readers.scene import SceneIdentity
from nndacss.sensors.landsat8_oli import SENSOR
from nndacss.settings import Settings, restore, version

STAGE = "convert_pv"


def convert_order(scene: Path, settings: Mapping[str, Settings]) -> Order:
    """The order for one scene.

    InputError where it is no Landsat-8/9 Level-1 product, DatasetError where the labels that
    `type_product` promises are not there.
    """
    wanted = cast(ConvertSettings, settings[STAGE])
    identity = identify(scene)
    _check(scene, identity)
    inputs, location = {"scene": identity.digest}, {"scene": str(scene.resolve())}
    labels = find_labels(scene, identity.name, wanted)
    if labels is not None:
        with labels.open("rb") as content:
            inputs["labels"] = hashlib.file_digest(content, "sha256").hexdigest()
        location["labels"] = str(labels.resolve())
    changed = wanted.changed()
    recipe = Recipe(
        STAGE, version(STAGE), {STAGE: changed} if changed else {}, inputs, identity.level
    )
    return Order(recipe, identity.name, location)


def find_labels(scene: Path, name: str, settings: ConvertSettings) -> Path | None:
    """The file of the labels by hand; None where none are asked for, DatasetError without it."""
    beside = scene if scene.is_dir() else scene.parent
    places: tuple[Path, ...] = (beside,)
    if settings.type_product == "biome":
        pattern = f"{name}_fixedmask.img"
    elif settings.type_product == "38c":
        places = (beside, beside / "Entire_scene_gts", beside.parent / "Entire_scene_gts")
        pattern = f"edited_corrected_gts*{name}.[tT][iI][fF]"
    else:
        return None
    for place in places:
        found = sorted(place.glob(pattern))
        if found:
            return found[0]
    expected = f"the labels of type_product = {settings.type_product}"
    remedy = "put it there, or use type_product = landsat8"
    raise DatasetError(complain(beside, f"no {pattern}", expected, remedy))


@dataclass(frozen=True)
class Place:
    """Where one conversion goes: `<folder>/<scene>/<scene>_<resolution>.HDF5`."""

    product: Path

    @property
    def card(self) -> Path:
        """The product's recipe, written last."""
        return self.product.with_suffix(".json")

    def holds(self, digest: str) -> bool:
        """Whether the product is there, whole, and made by the recipe of that digest."""
        if not self.product.is_file():
            return False
        try:
            return bool(json.loads(self.card.read_text())["digest"] == digest)
        except (OSError, ValueError, KeyError, TypeError):
            return False


def place_of(folder: Path, order: Order) -> Place:
    """Where the product of an order goes below `folder`."""
    resolution = settings_of(order).resolution
    return Place(folder / order.name / f"{order.name}_{resolution}.HDF5")


def settings_of(order: Order) -> ConvertSettings:
    """The settings that an order was planned with."""
    return cast(ConvertSettings, restore(order.recipe.settings, STAGE))


def _check(scene: Path, identity: SceneIdentity) -> None:
    if identity.sensor != SENSOR.name:
        found, expected = f"a {identity.sensor} product", "a Landsat-8 Level-1 product"
        raise InputError(complain(scene, found, expected, "give a Landsat scene"))
    if identity.level != "TOA":
        sibling = find_l1(scene)
        remedy = (
            f"give {sibling}" if sibling else "give the Level-1 product of the same acquisition"
        )
        found, expected = "a Level-2 product", "a Level-1 product: Proba-V's bands are TOA"
        raise InputError(complain(scene, found, expected, remedy))
