"""Which samples train, which watch the fit, which are held out; and in which order they are drawn.

Light: plain Python and numpy. Both are functions of the store's records and the settings alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nndacss.errors import SettingsError, complain
from nndacss.samples.split import folds
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
    # at least one scene to watch, and one to train on
    count = min(max(1, round(settings.monitor * len(scenes))), len(scenes) - 1)
    count = count if settings.monitor > 0 else 0
    place = folds(scenes, len(scenes), settings.fold_seed)
    return {s: "monitor" if place[s] < count else "train" for s in scenes}


def seeded(*parts: int | str) -> np.random.Generator:
    """A generator for these numbers and words; any other sequence gives an independent one."""
    text = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(text[:16], "little"))


def shares(groups: Mapping[str, Sequence[int]], given: Mapping[str, float]) -> dict[str, float]:
    """Data set -> share of the draws, sum 1. Those not in `given` share the rest by size.

    >>> shares({"a": [0], "b": [1, 2, 3], "c": [4]}, {"a": 0.6})
    {'a': 0.6, 'b': 0.3..., 'c': 0.1}
    """
    rest = {name: len(members) for name, members in groups.items() if name not in given}
    left = max(0.0, 1 - sum(given.get(name, 0.0) for name in groups))
    size = sum(rest.values())
    result = {name: left * rest[name] / size if name in rest else given[name] for name in groups}
    total = sum(result.values())
    if not total > 0:
        raise SettingsError("train.share leaves no data set to train on; give one a share above 0")
    return {name: value / total for name, value in result.items()}


class Draws:
    """Which samples an epoch shows, in which order: a function of seed and epoch.

    Inside a data set all samples take turns, in a new order each round, across epochs: none is
    shown twice as often as another by chance.
    """

    def __init__(
        self, groups: Mapping[str, Sequence[int]], given: Mapping[str, float], size: int, seed: int
    ) -> None:
        self._groups = {name: groups[name] for name in sorted(groups)}
        self._shares = shares(self._groups, given)
        self._size, self._seed = size, seed

    def __len__(self) -> int:
        return self._size

    def epoch(self, number: int) -> list[int]:
        """Indices of the samples of epoch 0, 1, ..., in order."""
        drawn: list[int] = []
        ends = np.cumsum(list(self._shares.values()))
        last = 0
        for (name, members), end in zip(self._groups.items(), ends, strict=True):
            stop = round(float(end) * self._size)
            drawn += self._turns(name, members, number * (stop - last), stop - last)
            last = stop
        order = seeded(self._seed, "order", number).permutation(self._size)
        return [drawn[place] for place in order]

    def _turns(self, name: str, members: Sequence[int], first: int, count: int) -> list[int]:
        """Places first .. first + count of the endless series of rounds through `members`."""
        size, result = len(members), []
        for turn in range(first // size, -(-(first + count) // size)):
            order = seeded(self._seed, "round", name, turn).permutation(size)
            low, high = max(0, first - turn * size), min(size, first + count - turn * size)
            result += [members[place] for place in order[low:high]]
        return result
