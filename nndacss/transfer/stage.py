"""The transfer stage: every variant over the test patches, then tables and a page."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nndacss.domains.plan import STORE
from nndacss.domains.store import CLOUDS, DomainStore
from nndacss.identity import drafted
from nndacss.models.probav_card import CloudCard, GeneratorCard, choose
from nndacss.models.probav_networks import cloud_net, generator
from nndacss.page import template
from nndacss.raster import Pixels
from nndacss.settings import restore
from nndacss.stage import Context
from nndacss.transfer.measure import Counts, count, distances, means
from nndacss.transfer.plan import PLAIN, PROBAV, TEST, TRANSFORMED
from nndacss.transfer.settings import TransferSettings

RESULT, TABLE, PAGE = "result.json", "table.csv", "report.html"
#: Values a band that distributions are compared by, at most.
_MOST = 400_000
_BATCH = 16


@dataclass(frozen=True)
class Variant:
    """One way from Landsat's labels to clouds on an image."""

    name: str
    clouds: str
    """Domain of the patches that the cloud network was fitted to."""
    images: str
    """Domain of the patches that it is tested on."""
    gan: str = ""
    """Ablation whose generator translates the images first."""


def variants(inputs: Mapping[str, str]) -> list[Variant]:
    """What the networks of a recipe allow to compare, and two controls."""
    gans = [name.removeprefix("gan_") for name in inputs if name.startswith("gan_")]
    rows = [
        Variant("Landsat as it is", PLAIN, PROBAV),
        Variant("physical transform", TRANSFORMED, PROBAV),
        *(Variant(f"physical transform, {gan}", TRANSFORMED, PROBAV, gan) for gan in gans),
        Variant("control: on Landsat, transformed", TRANSFORMED, TRANSFORMED),
    ]
    if f"clouds_{PROBAV}" in inputs:
        rows.append(Variant("ceiling: trained on Proba-V", PROBAV, PROBAV))
    return rows


def compare(context: Context) -> Mapping[str, Any]:
    """Body of the stage; returns the summary for `stage.json`."""
    torch.set_num_threads(context.threads)
    own = cast(TransferSettings, restore(context.order.recipe.settings, "transfer"))
    inputs = context.order.recipe.inputs
    clouds = {
        name.removeprefix("clouds_"): cloud_net(
            choose(context.input(name)[0] / "weights.json", CloudCard)
        )
        for name in inputs
        if name.startswith("clouds_")
    }
    gans = {
        name.removeprefix("gan_"): generator(
            choose(context.input(name)[0] / "genpv2l8.json", GeneratorCard)
        )
        for name in inputs
        if name.startswith("gan_")
    }
    rows = []
    with DomainStore(context.input(TEST)[0] / STORE) as store:
        wanted = variants(inputs)
        for number, variant in enumerate(wanted):
            context.progress(number / (len(wanted) + 1), variant.name)
            chain = _chain(clouds[variant.clouds], gans.get(variant.gan))
            rows.append(_row(variant, counted(store, variant.images, chain, own.threshold), own))
        context.progress(len(wanted) / (len(wanted) + 1), "distributions")
        gaps = bands(store, gans)
        simulated = sorted({r.dataset for r in store.records if r.kind == "twin"})
        result = {
            "variants": rows,
            "distances": gaps,
            "patches": len(store),
            "scenes": len({record.scene for record in store.records}),
            "simulated": simulated,
        }
    write(context.folder, result)
    return {"report": PAGE, "table": TABLE, "variants": len(rows)}


Network = Callable[[Tensor], Tensor]


def _chain(clouds: nn.Module, gan: nn.Module | None) -> Network:
    """From images (n, 4, r, c) to probabilities of cloud (n, r, c)."""

    def run(images: Tensor) -> Tensor:
        found: Tensor = clouds(images if gan is None else gan(images)).sigmoid()[:, 0]
        return found

    return run


@torch.no_grad()
def counted(store: DomainStore, domain: str, network: Network, threshold: float) -> Counts:
    """Counts of a network on one sensor's images, by scene."""
    scenes, values = [], []
    for indices, images in batches(store, domain):
        for index, found in zip(indices, network(images).numpy(), strict=True):
            share = store.read(index)[CLOUDS[domain]]
            scenes.append(store.records[index].scene)
            values.append(count(found, share, threshold))
    return Counts.of(scenes, values)


def batches(store: DomainStore, domain: str) -> Iterator[tuple[list[int], Tensor]]:
    """Indices and images (n, 4, r, c) of the patches that have that sensor's."""
    for first in range(0, len(store), _BATCH):
        held = [
            (index, image)
            for index in range(first, min(first + _BATCH, len(store)))
            if np.isfinite(image := store.read(index)[domain]).all()
        ]
        if held:
            images = np.stack([np.moveaxis(image, -1, 0) for _, image in held])
            yield [index for index, _ in held], torch.from_numpy(images)


@torch.no_grad()
def bands(store: DomainStore, gans: Mapping[str, nn.Module]) -> list[dict[str, Any]]:
    """Distance of Proba-V's bands from transformed Landsat's, before and after each generator."""
    target = _values(store, TRANSFORMED)
    rows: list[dict[str, Any]] = [{"name": "Proba-V", **distances(_values(store, PROBAV), target)}]
    for name, gan in gans.items():
        rows.append({"name": f"Proba-V, {name}", **distances(_values(store, PROBAV, gan), target)})
    for row in rows:
        row["mean"] = means({key: value for key, value in row.items() if key != "name"})
    return rows


def _values(store: DomainStore, domain: str, gan: nn.Module | None = None) -> Pixels:
    """(n, 4) values of all patches, thinned out evenly."""
    found = []
    for _, images in batches(store, domain):
        images = images if gan is None else gan(images)
        found.append(images.permute(0, 2, 3, 1).reshape(-1, images.shape[1]).numpy())
    values = np.concatenate(found)
    return values[:: max(1, len(values) // _MOST)]


def _row(variant: Variant, counts: Counts, own: TransferSettings) -> dict[str, Any]:
    """A variant's scores, and how sure they are."""
    intervals = {
        word: counts.interval(word, own.draws, own.seed) for word in ("accuracy", "iou_cloud")
    }
    return {
        "name": variant.name,
        "trained_on": variant.clouds,
        "tested_on": variant.images,
        "generator": variant.gan,
        **counts.scores(),
        "intervals": intervals,
        "pixels": int(counts.values.sum()),
    }


def write(folder: Path, result: Mapping[str, Any]) -> None:
    """The result as JSON, CSV and a page; the page last."""
    with drafted(folder / RESULT) as draft:
        draft.write_text(json.dumps(_finite(result), indent=2, sort_keys=True) + "\n")
    rows = [
        {key: value for key, value in row.items() if key != "intervals"}
        for row in result["variants"]
    ]
    with drafted(folder / TABLE) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    page = template("nndacss.transfer", "report.html.j2")
    with drafted(folder / PAGE) as draft:
        draft.write_text(page.render(result=result))


def _finite(value: Any) -> Any:
    """JSON has no NaN: a score of nothing is null."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
