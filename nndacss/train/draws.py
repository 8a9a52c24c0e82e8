"""Which scenes watch a fit, and in which order samples are drawn; for any kind of sample.

Light: plain Python and numpy. Functions of names, numbers and seeds alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nndacss.errors import SettingsError
from nndacss.samples.split import folds


def monitored(scenes: Collection[str], share: float, seed: int) -> frozenset[str]:
    """The scenes kept out of training: about `share` of them, drawn by `seed`.

    At least one to watch and one to train on; none where `share` is 0.
    """
    if share <= 0 or not scenes:
        return frozenset()
    count = min(max(1, round(share * len(scenes))), len(scenes) - 1)
    place = folds(sorted(scenes), len(scenes), seed)
    return frozenset(scene for scene in scenes if place[scene] < count)


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
        raise SettingsError("share leaves no data set to train on; give one a share above 0")
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
