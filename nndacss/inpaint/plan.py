"""From a sample store and a mask bank to the order of painted samples; light.

It runs in the scheduler's process, which opens no HDF5. Bank and weights enter a recipe by what
they are, never by their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast

from nndacss.datasets.files import sums
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.identity import Order, Recipe
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.settings import InpaintSettings
from nndacss.inpaint.weights import checked_weights
from nndacss.mask_bank.plan import mask_bank_order
from nndacss.samples.plan import samples_order
from nndacss.samples.settings import SamplesSettings
from nndacss.settings import Settings, version

#: What an order calls the place of the bank, and of a structure's weights.
BANK, WEIGHTS = "bank", "weights."
#: File of the store in the stage's folder.
STORE = "samples.h5"

O = TypeVar("O", bound=PaintOptions)  # noqa: E741


def painted_orders(settings: Mapping[str, Settings], name: str = "inpainted") -> tuple[Order, ...]:
    """All that painted samples need, in order: samples, the bank unless it is a file, themselves.

    Raises as `samples_order`, `mask_bank_order` and `inpaint_order` do.
    """
    samples = samples_order(settings)
    if cast(InpaintSettings, settings["inpaint"]).paint.bank:
        return samples, inpaint_order(samples, None, settings, name)
    bank = mask_bank_order(settings)
    return samples, bank, inpaint_order(samples, bank, settings, name)


def inpaint_order(
    samples: Order, bank: Order | None, settings: Mapping[str, Settings], name: str = "inpainted"
) -> Order:
    """What to paint into the samples; `bank` is the order of the bank, None for a bank by path.

    SettingsError, DatasetError or WeightsError where bank or weights are not there or unfit.
    """
    own = cast(InpaintSettings, settings["inpaint"])
    roles = cast(SamplesSettings, settings["samples"]).roles
    inputs = {"samples": samples.recipe.digest}
    paint, location = own.paint, {"device": str(own.device)}
    if bank is None:
        paint, place = with_bank_file(paint, "inpaint.paint")
        location |= place
    else:
        inputs["mask_bank"] = bank.recipe.digest
    paint, place = with_weights(paint, roles)
    changed = own.model_copy(update={"paint": paint}).changed()
    recipe = Recipe(
        stage="inpaint",
        version=version("inpaint"),
        settings={"inpaint": changed} if changed else {},
        inputs=inputs,
    )
    return Order(recipe, name, location | place)


def with_bank_file(paint: O, section: str) -> tuple[O, dict[str, str]]:
    """The options with the sum of their bank, and where it lies, for an order's location.

    SettingsError where none is named, DatasetError where it is missing or another than demanded.
    """
    if not paint.bank:
        remedy = "make one with the task MaskBank, or python -m nndacss.inpaint.bank"
        raise SettingsError(complain(section, "no bank to paint with", "bank = a file", remedy))
    path = Path(paint.bank).resolve()
    found = checked_sum(path, paint.bank_sha256)
    return paint.model_copy(update={"bank_sha256": found}), {BANK: str(path)}


def checked_sum(path: Path, wanted: str) -> str:
    """sha256 of a bank; DatasetError where it is missing, or another than `wanted`, if any."""
    if not path.is_file():
        remedy = (
            "correct the path given as bank, or make the bank: the task MaskBank with "
            f"--bank {path.name}, or python -m nndacss.inpaint.bank"
        )
        raise DatasetError(complain(path, "no such file", "a mask bank", remedy))
    found = sums([path])[path.name]
    if wanted and found != wanted:
        expected = f"sha256 {wanted[:12]}..., as settings or recipe say"
        remedy = "give that bank, or plan again"
        raise DatasetError(complain(path, f"{found[:12]}...", expected, remedy))
    return found


def with_weights(paint: O, roles: tuple[str, ...]) -> tuple[O, dict[str, str]]:
    """The options with the sums of their weights, and the places of those that are named.

    What the renderer does not use is in no recipe. WeightsError, see `checked_weights`.
    """
    if paint.renderer == "physical":
        return paint.model_copy(update={"weights": {}, "weights_sha256": {}}), {}
    found = checked_weights(paint, roles)
    places = {WEIGHTS + name: place for name, place in paint.weights.items()}
    return paint.model_copy(update={"weights_sha256": found}), places


def located(paint: O, location: Mapping[str, str]) -> O:
    """The options of a recipe with the places of bank and weights on this machine."""
    weights = {
        key.removeprefix(WEIGHTS): place
        for key, place in location.items()
        if key.startswith(WEIGHTS)
    }
    return paint.model_copy(update={"bank": location.get(BANK, ""), "weights": weights})
