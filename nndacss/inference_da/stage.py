"""The inference_da stage: an adapted copy of a Proba-V product, whole or not at all."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from nndacss.errors import InputError, OutputError, complain
from nndacss.identity import drafted
from nndacss.inference_da.plan import (
    PROVENANCE,
    Wanted,
    inference_order,
    made_by,
    published_by,
)
from nndacss.inference_da.publish import publish
from nndacss.inference_da.write import check, detect, open_copy, translate
from nndacss.models.device import Choice, claim
from nndacss.models.probav_card import Chosen, CloudCard, GeneratorCard, choose
from nndacss.models.probav_networks import CloudDetector, Translator, cloud_net, generator
from nndacss.readers.probav import Product, open_product
from nndacss.simulate.mtl import ORIGIN
from nndacss.stage import Context

log = logging.getLogger("nndacss")

#: Share of the time that the copy, the bands and the mask are told to take.
_BANDS, _MASK = 0.5, 0.95


def adapt_product(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    place = context.order.location
    wanted = Wanted(
        Path(place["product"]),
        Path(place["destination"]),
        place["generator"],
        place["cloud"],
        Path(place["publish"]) if "publish" in place else None,
        place["device"],
    )
    recipe = context.order.recipe.digest
    _check_inputs(wanted, recipe)
    summary: dict[str, Any] = {"destination": str(wanted.destination)}
    if not made_by(wanted.destination, recipe):
        _refuse_existing(wanted.destination)
        summary |= _adapt(wanted, recipe, context)
    item = wanted.item
    if item is not None and not published_by(item, recipe):
        context.progress(_MASK, "COGs, item and quicklook")
        publish(wanted.destination, item.parent, recipe, context.threads)
        summary["item"] = str(item)
    return summary


def _check_inputs(wanted: Wanted, recipe: str) -> None:
    """InputError where product or weights are not those that the recipe was planned with."""
    if inference_order(wanted).recipe.digest != recipe:
        found = "another product, or other weights, than when the run was planned"
        remedy = "run the command again, and leave the files alone meanwhile"
        raise InputError(complain(wanted.product, found, "the same", remedy))


def _refuse_existing(destination: Path) -> None:
    if destination.exists():
        found = "a file that was not made from this product with these weights"
        remedy = "remove it, or choose another --image-dest"
        raise OutputError(complain(destination, found, "nothing there", remedy))


def _adapt(wanted: Wanted, recipe: str, context: Context) -> dict[str, Any]:
    """Write the destination; returns what to tell of it."""
    translating = choose(wanted.generator, GeneratorCard)
    detecting = choose(wanted.cloud, CloudCard)
    with ExitStack() as stack:
        product = stack.enter_context(open_product(wanted.product))
        notes = _notes(product, (translating, detecting))
        for note in notes:
            log.warning("WARNING: %s: %s", wanted.product.name, note)
        device = stack.enter_context(claim(cast(Choice, wanted.device)))
        # popped when it is used, so that its buffers go before the second one's come
        translators = [Translator(generator(translating), device, context.threads)]
        detector = CloudDetector(cloud_net(detecting), device, context.threads)
        draft = stack.enter_context(_copied(wanted))
        with open_copy(draft) as file:
            check(product, file)
            valid = translate(
                product,
                file,
                translators.pop(),
                lambda done: context.progress(done * _BANDS, "bands"),
            )
            cloudy = detect(
                Product(draft, file),
                file,
                detector,
                lambda done: context.progress(_BANDS + done * (_MASK - _BANDS), "cloud mask"),
            )
            told: dict[str, Any] = {
                "recipe": recipe,
                "product": wanted.product.name,
                "generator": translating.told(),
                "cloud": detecting.told(),
                "notes": [*notes, *translating.notes, *detecting.notes],
            }
            file.attrs[PROVENANCE] = json.dumps(told, sort_keys=True)
    share = None if valid == 0 else round(cloudy, 4)
    return told | {"valid": round(valid, 4), "cloudy": share}


@contextmanager
def _copied(wanted: Wanted) -> Iterator[Path]:
    """A draft of the destination that holds the product as it is; writable, whatever that was."""
    folder = wanted.destination.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "choose another --image-dest"
        reason = error.strerror or str(error)
        raise OutputError(complain(folder, reason, "a writable folder", remedy)) from error
    with drafted(wanted.destination) as draft:
        shutil.copyfile(wanted.product, draft)
        yield draft


def _notes(product: Product, weights: Sequence[Chosen]) -> list[str]:
    """What a user must know before trusting the result."""
    found = []
    simulated = [chosen.name for chosen in weights if chosen.simulated]
    if simulated and product.origin != ORIGIN:
        names = " and ".join(simulated)
        found.append(
            f"{names} learnt from simulated images, and this product is an observation: what they "
            "make of it has not been measured; the published weights (--published FOLDER) learnt "
            "from observations"
        )
    if product.quantity != "TOA":
        found.append(
            f"its reflectance is corrected for the atmosphere ({product.quantity}); the networks "
            "learnt from top-of-atmosphere reflectance"
        )
    return found
