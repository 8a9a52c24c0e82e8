"""From settings to the order of a sample store; light, it runs in the scheduler's process.

The recipe holds how the images are cut and the fingerprints of their archives. Where the archives
lie is no part of it: the same files elsewhere make the same store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from nndacss.datasets import Dataset
from nndacss.errors import SettingsError, complain
from nndacss.identity import Order, Recipe, digest
from nndacss.plugins import load
from nndacss.samples.settings import Entry, SamplesSettings
from nndacss.settings import Settings, version

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
    entries = [_entry(entry, datasets[entry.title]) for entry in own.datasets]
    changed = {"samples": own.changed() | {"datasets": entries}}
    inputs = {title: fingerprint(dataset) for title, dataset in datasets.items()}
    location = {
        f"{title}.{key}": path
        for title, dataset in datasets.items()
        for key, path in dataset.places().items()
    }
    return Order(Recipe("samples", version("samples"), changed, inputs), name, location)


def build(entry: Entry, location: Mapping[str, str] | None = None) -> Dataset:
    """The dataset of an entry; `location` is the order's, where its paths are not in the entry."""
    kind = load("datasets", entry.kind)
    prefix = f"{entry.title}."
    places = {
        k.removeprefix(prefix): v for k, v in (location or {}).items() if k.startswith(prefix)
    }
    try:
        dataset: Dataset = kind.model_validate(entry.options | places)
    except ValidationError as error:
        raise SettingsError(_complaint(entry, kind, error)) from error
    return dataset


def fingerprint(dataset: Dataset) -> str:
    """sha256 hex of what decides a dataset's content."""
    return digest(dataset.fingerprint())


def _entry(entry: Entry, dataset: Dataset) -> dict[str, Any]:
    """An entry without its paths and defaults."""
    own = entry.model_dump(include=set(Entry.model_fields), exclude_defaults=True)
    return {**own, **dataset.options()}


def _complaint(entry: Entry, kind: type[Dataset], error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    subject = f"[[samples.datasets]] {entry.title}"
    known = ", ".join(kind.model_fields)
    if first["type"] == "extra_forbidden":
        return complain(subject, f"unknown option {key}", f"one of {known}", "correct the name")
    if first["type"] == "missing":
        return complain(subject, f"no {key}", f"options {known}", f"add {key} = ...")
    return complain(subject, f"{key} = {first['input']!r}", first["msg"], "correct the value")
