"""The harmonize stage: a scene's windows through the chosen method, written in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import WeightsError, complain
from nndacss.harmonize import deep
from nndacss.harmonize.bandpass import harmonize as bandpass
from nndacss.harmonize.bandpass import is_own
from nndacss.harmonize.ground import masked
from nndacss.harmonize.result import NODATA, OWN, SATURATED, Deviation, Harmonized, quantize
from nndacss.harmonize.settings import HarmonizeSettings
from nndacss.harmonize.spectral import Spectral, bandpass_spectral, step, unchanged
from nndacss.harmonize.weights import Choice, choose
from nndacss.plugins import load
from nndacss.readers import open_scene
from nndacss.readers.scene import Scene
from nndacss.sensors import REFLECTIVE
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.tile.grid import output_grid
from nndacss.tile.jobs import Job, carry_out
from nndacss.tile.parts import parts
from nndacss.tile.run import Compute as ComputeLayers
from nndacss.tile.run import Layer
from nndacss.tile.settings import TileSettings

__all__ = ["OWN", "SATURATED", "harmonize_scene", "harmonize_window", "quantize"]

Compute = Callable[[GeoBox], Harmonized]


def harmonize_scene(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    job, summary = prepare(context)
    count = carry_out(job, context)
    return {**summary, "parts": len(job.parts), "computed": count}


def prepare(context: Context) -> tuple[Job, Mapping[str, Any]]:
    """What there is to compute, here or elsewhere, and the summary of how."""
    tile = cast(TileSettings, restore(context.order.recipe.settings, "tile"))
    _, acquired = context.input("scene")
    scene = open_scene(acquired["summary"]["scene"], acquired["summary"]["l1"])
    settings = _settings(context)
    grid = output_grid(scene.grid(settings.roles[0]), tile)
    choice = _choice(context, settings, scene, grid)
    layers = _layers(settings.roles, choice.uncertain and settings.uncertainty)

    @contextmanager
    def compute(threads: int) -> Iterator[ComputeLayers]:
        with _windows(context, scene, settings, choice, grid, tile.window, threads) as one:
            yield lambda window: harmonize_window(scene, window, settings, one)

    return Job(parts(grid, tile), layers, compute), _summary(scene, settings, choice)


def _settings(context: Context) -> HarmonizeSettings:
    """The recipe's settings, with what of them is this machine's."""
    settings = cast(HarmonizeSettings, restore(context.order.recipe.settings, "harmonize"))
    place, recipe = context.order.location, context.order.recipe
    changed: dict[str, Any] = {"device": place.get("device", "auto")}
    if recipe.weights is None:
        changed["method"] = "bandpass" if settings.method == "auto" else settings.method
    else:
        weights = tuple(place.get("weights", "").splitlines()) or settings.weights
        # the level was decided when the run was planned, and is in the recipe
        changed |= {"weights": weights, "precision": recipe.precision, "force_toa": True}
    return settings.model_copy(update=changed)


def _choice(context: Context, settings: HarmonizeSettings, scene: Scene, grid: GeoBox) -> Choice:
    """The method; WeightsError where the weights here are not those of the recipe."""
    choice = choose(settings, deep.target_of(scene, grid))
    planned = context.order.recipe.weights
    if planned is not None and choice.sha256 != planned:
        found = f"sha256 {str(choice.sha256)[:12]}..."
        expected = f"{planned[:12]}..., as when the run was planned"
        remedy = "run the command again, with the same weights on all machines"
        raise WeightsError(complain(", ".join(settings.weights), found, expected, remedy))
    return choice


@contextmanager
def _windows(
    context: Context,
    scene: Scene,
    settings: HarmonizeSettings,
    choice: Choice,
    grid: GeoBox,
    window: int,
    threads: int,
) -> Iterator[Compute]:
    """The method for the windows of one scene."""
    if not choice.cards:
        one = load("harmonize", choice.method)
        yield lambda window_: one(scene, window_, settings)
        return
    ground = masked(context.input("mask")[0] / "labels.vrt", window)
    with deep.harmonizer(scene, settings, choice, ground, grid, threads) as compute:
        yield compute


def _layers(roles: tuple[str, ...], uncertain: bool) -> list[Layer]:
    """What the stage writes."""
    found = [
        Layer("reflectance", "int16", NODATA, roles, predictor=2),
        Layer("source", "uint8", 0, ("source",)),
    ]
    if uncertain:
        found.append(Layer("uncertainty", "int16", NODATA, (*roles, "flags"), predictor=2))
    return found


def harmonize_window(
    scene: Scene, grid: GeoBox, settings: HarmonizeSettings, compute: Compute | None = None
) -> Mapping[str, NDArray[Any]]:
    """All layers of one window; by bandpass where nothing else is given."""
    window = compute(grid) if compute else bandpass(scene, grid, settings)
    counts = quantize(window.pixels)
    source = window.source.copy()
    source[scene.saturated(settings.roles, grid)] |= SATURATED
    missing = counts[0] == NODATA
    source[missing] = 0
    layers: dict[str, NDArray[Any]] = {"reflectance": counts, "source": source[None]}
    if window.deviation is not None:
        layers["uncertainty"] = _uncertainty(window.deviation, missing)
    return layers


def _uncertainty(deviation: Deviation, missing: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Standard deviations as counts of `SCALE`, then flags; NODATA where no network was."""
    gone = missing | np.isnan(deviation.sigma).any(axis=0)
    counts = quantize(np.where(gone, np.float32(np.nan), deviation.sigma))
    flags = np.where(gone, np.int16(NODATA), deviation.flags.astype(np.int16))
    return np.concatenate([counts, flags[None]])


def _summary(scene: Scene, settings: HarmonizeSettings, choice: Choice) -> dict[str, Any]:
    own = is_own(scene, settings.target)
    spectral = spectral_of(settings, choice, own)
    summary = {
        "method": choice.method,
        "sensor": scene.platform if own else settings.target,
        "roles": list(settings.roles),
        "spectral": {
            "roles": list(spectral.roles),
            "matrix": [list(row) for row in spectral.matrix],
            "offset": list(spectral.offset),
        },
        "pan": deep.sees_pan(scene, settings),
        "losses": list(scene.losses),
    }
    if not choice.cards:
        return summary
    members = [
        {"name": card.name, "sha256": card.sha256, "family": card.family, "notes": list(card.notes)}
        for card in choice.cards
    ]
    return summary | {
        "weights": members,
        "precision": choice.precision(settings),
        "forced": any(scene.level not in card.levels for card in choice.cards),
    }


def spectral_of(settings: HarmonizeSettings, choice: Choice, own: bool) -> Spectral:
    """The change of band responses that the image holds, in the order of `settings.roles`."""
    if own:
        return unchanged(settings.roles)
    if not (choice.cards and all(card.family == "detail" for card in choice.cards)):
        return bandpass_spectral(settings.target, settings.roles)
    full = step(settings.target)
    order = [REFLECTIVE.index(role) for role in settings.roles]
    return Spectral(
        settings.roles,
        tuple(tuple(full.matrix[i][j] for j in order) for i in order),
        tuple(full.offset[i] for i in order),
    )
