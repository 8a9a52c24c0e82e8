"""The data of a harmonizer's fit: batches out of a pair store.

A batch is a dictionary: `inputs` (batch, 7, rows, columns) and `target` (batch, 6, rows, columns)
float32 reflectance, NaN missing; `coarse` (batch,) bool, whether the last three bands of the
target are known at 20 m only; `kind` (batch,) the pair's kind, its place in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from nndacss.errors import SettingsError, complain
from nndacss.harmonizer.augment import augment
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.harmonizer.split import Split, split
from nndacss.pairs.source import PairRecord
from nndacss.pairs.store import PairStore
from nndacss.raster import Pixels
from nndacss.train.batches import DrawnData, Item, Key
from nndacss.train.draws import seeded

#: What a pair may be, see `PairRecord.kind`.
KINDS = ("twin", "degraded", "same_day")


class Varied(Dataset[Item]):
    """Training pairs, each varied by the chance that belongs to its epoch and position."""

    def __init__(self, store: PairStore, settings: HarmonizerSettings) -> None:
        self._store, self._settings = store, settings
        self._records = store.records  # read once, before any worker process is forked

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        settings = self._settings
        rng = seeded(settings.seed, "pair", epoch, position)
        pair = augment(*self._store.read_raw(index), settings.crop, settings.augment, rng)
        return _item(*pair, self._records[index])


class Plain(Dataset[Item]):
    """Pairs as they are, cut to the `side` that the network takes, from their first pixel."""

    def __init__(self, store: PairStore, indices: Sequence[int], side: int) -> None:
        self._store, self._indices, self._side = store, indices, side

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        index = self._indices[place]
        inputs, target = self._store.read(index)
        cut = (..., slice(self._side), slice(self._side))
        return _item(inputs[cut], target[cut], self._store.records[index])


def _item(inputs: Pixels, target: Pixels, record: PairRecord) -> Item:
    return {
        "inputs": torch.from_numpy(inputs),
        "target": torch.from_numpy(target),
        "coarse": record.coarse_truth,
        "kind": KINDS.index(record.kind),
    }


class PairData(DrawnData):
    """Training and monitoring pairs of one store.

    SettingsError where store and settings do not fit each other, DatasetError where the store
    cannot be used.
    """

    settings: HarmonizerSettings

    def __init__(self, path: Path, settings: HarmonizerSettings) -> None:
        self.store = PairStore(path)
        if settings.crop > self.store.side:
            found = f"pairs of side {self.store.side}"
            expected = f"at least harmonizer.crop = {settings.crop}"
            remedy = "lower harmonizer.crop or set pairs.side"
            raise SettingsError(complain(path, found, expected, remedy))
        records = self.store.records
        self.datasets = tuple(sorted({record.dataset for record in records}))
        self.split: Split = split(records, settings)
        members: dict[str, list[int]] = {}
        for index in self.split.train:
            members.setdefault(records[index].dataset, []).append(index)
        super().__init__(settings, members, {"monitor": self.split.monitor})

    def varied(self) -> Dataset[Item]:
        """Varied pairs."""
        return Varied(self.store, self.settings)

    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """Whole pairs, as far as the network takes them."""
        side = self.store.side
        return Plain(self.store, indices, side - side % self.settings.multiple)
