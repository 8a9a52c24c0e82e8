"""Which pairs train and which watch the fit. Light; by the records and settings alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nndacss.errors import SettingsError, complain
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.train.draws import monitored


class Paired(Protocol):
    """What a split must know of a pair: `nndacss.pairs.source.PairRecord` has it."""

    @property
    def dataset(self) -> str: ...  # noqa: D102

    @property
    def scene(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Split:
    """Indices into the store; the two share no scene."""

    train: tuple[int, ...]
    monitor: tuple[int, ...]


def split(records: Sequence[Paired], settings: HarmonizerSettings) -> Split:
    """Split by scene; SettingsError where nothing is left to train on or to choose by.

    A scene that several data sets show is kept out of all of them.
    """
    scenes: dict[str, set[str]] = {}
    for record in records:
        scenes.setdefault(record.dataset, set()).add(record.scene)
    if unknown := sorted(set(settings.share) - set(scenes)):
        found = f"no data set {unknown[0]!r}"
        expected = f"data sets among {', '.join(sorted(scenes)) or 'none'}"
        remedy = "correct harmonizer.share"
        raise SettingsError(complain("pair store", found, expected, remedy))
    watched = {
        scene
        for some in scenes.values()
        for scene in monitored(some, settings.monitor, settings.split_seed)
    }
    train = tuple(i for i, record in enumerate(records) if record.scene not in watched)
    monitor = tuple(i for i, record in enumerate(records) if record.scene in watched)
    if len(train) < settings.batch:
        found = f"{len(train)} pairs to train on"
        remedy = "lower harmonizer.batch or make more pairs"
        expected = f"at least one batch of {settings.batch}"
        raise SettingsError(complain("pair store", found, expected, remedy))
    if settings.keep == "best" and not monitor:
        found = 'keep = "best" without monitoring scenes'
        remedy = 'set harmonizer.keep = "last", or monitor above 0 with two scenes or more'
        raise SettingsError(complain("[harmonizer]", found, "scenes to choose by", remedy))
    return Split(train, monitor)
