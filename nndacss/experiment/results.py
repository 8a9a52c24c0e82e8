"""What the runs of an experiment left in the work folder: their counts, and what made them.

A unit is what a mean and a spread are taken over. On cross-validated data each scene is scored by
one fold's model, so a seed's folds are pooled and the unit is the seed; on other data every run
scores every sample, and the unit is the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.evaluate.plan import FILE
from nndacss.identity import Order, load_order, recipe_path
from nndacss.metrics.counts import Counts, total
from nndacss.stage import DONE, stage_folder


@dataclass(frozen=True)
class Result:
    """One run that is done."""

    key: str
    model: str
    kind: str
    seed: int | None
    fold: int | None
    folder: Path
    digest: str
    counts: Mapping[str, Any]
    """Its `counts.json`."""
    settings: Mapping[str, Any]
    """Stage -> what differs from the defaults, of evaluate, train and what train learned from."""
    weights: str = ""
    """The card of what was trained, in the work folder; empty where nothing was."""

    def records(self, title: str) -> list[dict[str, Any]]:
        """What was counted on each sample of the test data `title`."""
        return [record for record in self.counts["samples"] if record["data"] == title]

    def unit(self, title: str, fold_by_fold: bool = False) -> str:
        """What its counts on the test data `title` are pooled with."""
        folded = self.counts["data"][title]["cross_validated"] and self.fold is not None
        return f"seed {self.seed}" if folded and not fold_by_fold else self.key


def collect(work: Path, order: Order) -> tuple[list[Result], list[str]]:
    """What is done of an experiment's runs, in its order, and the keys of what is not."""
    done, pending = [], []
    for book in order.recipe.settings["plan"]["runs"]:
        key, digest = book["key"], order.recipe.inputs[book["key"]]
        evaluate = load_order(recipe_path(work, digest))
        folder = stage_folder(work, evaluate)
        if (folder / DONE).exists():
            counts = json.loads((folder / FILE).read_text())
            settings = _settings(work, evaluate)
            about = {"counts": counts, "settings": settings, "weights": _card(work, evaluate)}
            done.append(Result(**book, folder=folder, digest=digest, **about))
        else:
            pending.append(key)
    return done, pending


def _card(work: Path, evaluate: Order) -> str:
    digest = evaluate.recipe.inputs.get("train")
    path = recipe_path(work, digest) if digest else None
    if path is None or not path.exists():
        return ""
    return f"train/{load_order(path).target}/weights.json"


def _settings(work: Path, evaluate: Order) -> dict[str, Any]:
    """Stage -> changed settings, from the recipe back to all that its model learned from."""
    found = {"evaluate": evaluate.recipe.settings.get("evaluate", {})}
    above = [evaluate.recipe.inputs.get("train")]
    while above:
        path = recipe_path(work, digest) if (digest := above.pop()) else None
        if path is None or not path.exists():  # an input that no stage makes, such as a file
            continue
        recipe = load_order(path).recipe
        found[recipe.stage] = recipe.settings.get(recipe.stage, {})
        above += recipe.inputs.values()
    return found


def counted(record: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    """A sample's counts: `counts`, `edgeless`, or a stratum's; None where it has none such.

    Files of before there were strata have none.
    """
    found: Mapping[str, Any] | None = record.get(which) or record.get("strata", {}).get(which)
    return found


def units(
    results: Iterable[Result], title: str, which: str = "counts", fold_by_fold: bool = False
) -> list[Counts]:
    """Pooled counts of every unit (or of every run) that scored the test data `title`."""
    pools: dict[str, list[Counts]] = {}
    classes: list[str] = []
    for result in results:
        classes = result.counts["classes"]
        unit = result.unit(title, fold_by_fold)
        for record in result.records(title):
            if found := counted(record, which):
                pools.setdefault(unit, []).append(Counts.from_json(found))
    return [total(pool, classes) for pool in pools.values()]


def strata(results: Iterable[Result], title: str) -> list[str]:
    """Names of the strata that samples of the test data `title` have, sorted."""
    records = (record for result in results for record in result.records(title))
    return sorted({name for record in records for name in record.get("strata", {})})


@dataclass(frozen=True)
class ByScene:
    """A model's counts on test data, scene by scene."""

    scenes: tuple[str, ...]
    """Sorted; those that all units scored."""
    tallies: NDArray[np.int64]
    """(units, scenes, classes, 4): right, wrongly said, missed, rightly not said."""

    def of(self, scenes: Sequence[str], code: int) -> NDArray[np.int64]:
        """(units, scenes, 3) right, wrongly said and missed of one class on some of its scenes."""
        places = [self.scenes.index(scene) for scene in scenes]
        chosen: NDArray[np.int64] = self.tallies[:, places, code, :3]
        return chosen


def by_scene(results: Iterable[Result], title: str, which: str = "counts") -> ByScene | None:
    """All units' counts; None where the model has none there."""
    pools: dict[str, dict[str, NDArray[np.int64]]] = {}
    for result in results:
        pool = pools.setdefault(result.unit(title), {})
        for record in result.records(title):
            if found := counted(record, which):
                tallies = np.array(found["tallies"], dtype=np.int64)
                pool[record["scene"]] = pool.get(record["scene"], 0) + tallies
    pools = {unit: pool for unit, pool in pools.items() if pool}
    if not pools:
        return None
    scenes = tuple(sorted(set.intersection(*(set(pool) for pool in pools.values()))))
    if not scenes:
        return None
    each = [[pool[scene] for scene in scenes] for pool in pools.values()]
    return ByScene(scenes, np.array(each, dtype=np.int64))
