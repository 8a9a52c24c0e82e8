"""Which samples train, which watch the fit, which are held out, by the settings of a mask.

Light: plain Python. A function of the store's records and the settings alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nndacss.errors import SettingsError, complain
from nndacss.samples.split import folds
from nndacss.train.draws import monitored
from nndacss.train.settings import TrainSettings


class Sampled(Protocol):
    """What a split must know of a sample: `nndacss.samples.store.Record` has it."""

    @property
    def dataset(self) -> str: ...  # noqa: D102

    @property
    def scene(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Split:
    """Indices into the store; the three share no scene."""

    train: tuple[int, ...]
    monitor: tuple[int, ...]
    """Kept out to watch the fit; may choose the best epoch."""
    held: tuple[int, ...]
    """The held-out fold: watched, decides nothing."""


def split(records: Sequence[Sampled], settings: TrainSettings) -> Split:
    """Split by scene as `settings` say; SettingsError where a named data set is not there."""
    _known(records, settings)
    roles = {name: _roles(name, records, settings) for name in {r.dataset for r in records}}
    parts: dict[str, list[int]] = {"train": [], "monitor": [], "held": []}
    for index, record in enumerate(records):
        parts[roles[record.dataset][record.scene]].append(index)
    result = Split(*(tuple(parts[name]) for name in ("train", "monitor", "held")))
    if len(result.train) < settings.batch:
        found = f"{len(result.train)} samples to train on"
        remedy = "lower train.batch or make more samples"
        expected = f"at least one batch of {settings.batch}"
        raise SettingsError(complain("sample store", found, expected, remedy))
    if settings.keep == "best" and not result.monitor:
        found = 'keep = "best" without monitoring scenes'
        remedy = 'set train.keep = "last", or train.monitor above 0 with a data set to take from'
        raise SettingsError(complain("[train]", found, "scenes to choose by", remedy))
    return result


def _known(records: Sequence[Sampled], settings: TrainSettings) -> None:
    there = {record.dataset for record in records}
    named = set(settings.share) | (set(settings.cross_validated) if settings.fold >= 0 else set())
    if unknown := sorted(named - there):
        found = f"no data set {unknown[0]!r}"
        remedy = "correct train.share or train.cross_validated"
        expected = f"data sets among {', '.join(sorted(there)) or 'none'}"
        raise SettingsError(complain("sample store", found, expected, remedy))


def _roles(name: str, records: Sequence[Sampled], settings: TrainSettings) -> dict[str, str]:
    """Scene -> train, monitor or held, for one data set."""
    scenes = sorted({record.scene for record in records if record.dataset == name})
    if name in settings.cross_validated:
        if settings.fold < 0:
            return dict.fromkeys(scenes, "train")
        fold = folds(scenes, settings.folds, settings.fold_seed)
        return {s: "held" if fold[s] == settings.fold else "train" for s in scenes}
    watched = monitored(scenes, settings.monitor, settings.fold_seed)
    return {s: "monitor" if s in watched else "train" for s in scenes}
