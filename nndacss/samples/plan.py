"""From settings to the order of a sample store; light, it runs in the scheduler's process.

The recipe holds how the images are cut and the fingerprints of their archives. Where the archives
lie is no part of it: the same files elsewhere make the same store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from nndacss import entries
from nndacss.datasets import Dataset
from nndacss.entries import fingerprint
from nndacss.errors import SettingsError
from nndacss.identity import Order, Recipe
from nndacss.plugins import load
from nndacss.samples.settings import Entry, SamplesSettings
from nndacss.settings import Settings, version

__all__ = ["STORE", "build", "samples_order"]

#: File of the store in the stage's folder.
STORE = "samples.h5"


def samples_order(settings: Mapping[str, Settings], name: str = "samples") -> Order:
    """What to cut. SettingsError for a wrong option, DatasetError where an archive is missing."""
    own = cast(SamplesSettings, settings["samples"])
    if not own.datasets:
        raise SettingsError("no [[samples.datasets]] in the config: nothing to cut samples from")
    datasets = {entry.title: build(entry) for entry in own.datasets}
    schemes = {dataset.scheme for dataset in datasets.values()}
    if len(schemes) > 1:
        raise SettingsError(f"datasets of several label schemes: {', '.join(sorted(schemes))}")
    stated = [entries.stated(entry, datasets[entry.title]) for entry in own.datasets]
    changed = {"samples": own.changed() | {"datasets": stated}}
    inputs = {title: fingerprint(dataset) for title, dataset in datasets.items()}
    recipe = Recipe("samples", version("samples"), changed, inputs)
    return Order(recipe, name, entries.located(datasets))


def build(
    entry: Entry, location: Mapping[str, str] | None = None, place: str = "samples.datasets"
) -> Dataset:
    """The dataset of an entry; `location` is the order's, where its paths are not in the entry.

    `place` is the array of tables that names it, for errors.
    """
    kind: type[Dataset] = load("datasets", entry.kind)
    return entries.build(entry, kind, place, location)
