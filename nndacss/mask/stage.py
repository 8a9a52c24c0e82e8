"""The mask stage: one mask per product, made before anything is composed with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import WeightsError, complain
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.labels.climate import SCHEME, Climate
from nndacss.mask import morphology, network
from nndacss.mask.result import Masked
from nndacss.mask.settings import MaskSettings
from nndacss.mask.weights import mask_card, planned_card
from nndacss.plugins import load
from nndacss.raster import Pixels
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.tile.grid import output_grid
from nndacss.tile.jobs import Job, carry_out
from nndacss.tile.parts import parts
from nndacss.tile.run import Compute, Layer
from nndacss.tile.settings import TileSettings

NOTES = {
    "quality": "from the agency's quality band (CFMask or Sen2Cor), not predicted",
    "spectral": "provisional: plain spectral thresholds, since the product has no quality band",
}
#: How probabilities are stored: round(probability / step), as the product's sheet says.
PROBABILITY_STEP, PROBABILITY_NODATA = 0.004, 255


def mask_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    job, summary = prepare(context)
    count = carry_out(job, context)
    return {**summary, "parts": len(job.parts), "computed": count}


def prepare(context: Context) -> tuple[Job, Mapping[str, Any]]:
    """What there is to compute, here or elsewhere, and the summary of how."""
    changed = context.order.recipe.settings
    settings = cast(MaskSettings, restore(changed, "mask"))
    settings = settings.model_copy(update={"device": context.order.location.get("device", "auto")})
    roles = cast(HarmonizeSettings, restore(changed, "harmonize")).roles
    tile = cast(TileSettings, restore(changed, "tile"))
    _, acquired = context.input("scene")
    scene = open_scene(acquired["summary"]["scene"], acquired["summary"]["l1"])
    method = chosen(scene, settings)
    _check_weights(method, settings, context)
    grid = output_grid(scene.grid(roles[0]), tile)
    layers = _layers(scene, method, settings, scene.quality(grid[:1, :1]) is not None)

    @contextmanager
    def compute(threads: int) -> Iterator[Compute]:
        with windows(scene, method, settings, threads) as label:
            yield lambda window: mask_window(scene, window, label, roles)

    return Job(parts(grid, tile), layers, compute), _summary(scene, method, settings)


def _check_weights(method: str, settings: MaskSettings, context: Context) -> None:
    """WeightsError where the weights here are not those that the recipe was planned with."""
    planned = context.order.recipe.weights
    if method != "network" or planned is None:
        return
    found = mask_card(settings.weights).sha256
    if found != planned:
        expected = f"{planned[:12]}..., as when the run was planned"
        remedy = "run the command again, with the same weights on all machines"
        raise WeightsError(complain(settings.weights, f"sha256 {found[:12]}...", expected, remedy))


def _layers(scene: Scene, method: str, settings: MaskSettings, quality: bool) -> list[Layer]:
    """What the stage writes."""
    found = [Layer("labels", "uint8", Climate.NODATA, ("mask",))]
    if quality:
        found.append(Layer("quality", "uint16", scene.quality_fill, ("quality",)))
    if method == "network" and settings.probability:
        found.append(Layer("probability", "uint8", PROBABILITY_NODATA, SCHEME.classes, 2))
    if method == "network" and morphology.active(settings):
        found.append(Layer("raw", "uint8", Climate.NODATA, ("mask_raw",)))
    return found


def _summary(scene: Scene, method: str, settings: MaskSettings) -> dict[str, Any]:
    """How the mask was made, for the product's report and item."""
    summary = {"method": method, "provisional": method == "spectral", "note": NOTES.get(method, "")}
    if method != "network":
        return summary
    card = mask_card(settings.weights)
    view = network.see(scene, card, settings)
    note = (
        f"predicted by {card.name} (sha256 {card.sha256[:12]}) from {view.scene.level} reflectance "
        f"at {abs(view.plane.affine.a):g} m"
    )
    limits = "; ".join(sentence.rstrip(".") for sentence in card.notes)
    return summary | {
        "note": f"{note}; {limits}" if limits else note,
        "level": view.scene.level,
        "weights": {"name": card.name, "sha256": card.sha256, "notes": list(card.notes)},
    }


def chosen(scene: Scene, settings: MaskSettings) -> str:
    """The method that `auto` stands for with this scene; else the one that was asked for."""
    if settings.method != "auto":
        return settings.method
    card = planned_card(settings)
    if card is not None and network.suits(scene, card, settings):
        return "network"
    return "spectral" if scene.quality(scene.grid("red")[:1, :1]) is None else "quality"


@contextmanager
def windows(
    scene: Scene, method: str, settings: MaskSettings, threads: int
) -> Iterator[Callable[[GeoBox], Masked]]:
    """The method for many windows of one scene, from `threads` threads."""
    if method == "network":
        with network.labeller(scene, settings, threads) as label:
            yield label
        return
    one = load("mask", method)
    yield lambda grid: one(scene, grid, settings)


def mask_window(
    scene: Scene, grid: GeoBox, label: Callable[[GeoBox], Masked], roles: tuple[str, ...]
) -> Mapping[str, NDArray[Any]]:
    """All layers of one window; missing wherever the product's reflectance is missing."""
    result = label(grid)
    missing = ~scene.present(roles, grid)
    layers: dict[str, NDArray[Any]] = {"labels": _without(result.labels, missing)[None]}
    if result.quality is not None:
        layers["quality"] = result.quality[None]
    if result.raw is not None:
        layers["raw"] = _without(result.raw, missing)[None]
    if result.probability is not None:
        layers["probability"] = quantize(result.probability, missing)
    return layers


def _without(labels: NDArray[np.uint8], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(missing, np.uint8(Climate.NODATA), labels)


def quantize(probability: Pixels, missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Probability 0..1 to uint8 in steps of 0.004; 255 where missing."""
    gone = missing | np.isnan(probability[0])
    steps = np.rint(np.where(gone, 0, probability) / np.float32(PROBABILITY_STEP))
    return np.where(gone, PROBABILITY_NODATA, steps).astype(np.uint8)
