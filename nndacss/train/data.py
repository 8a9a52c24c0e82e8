"""The data of a fit, as Lightning wants it: batches out of a sample store.

A batch is a dictionary: `pixels` (batch, bands, rows, columns) float32 reflectance, NaN missing;
`sets` (batch, rows, columns) int32; `group` (batch,) the data set's place among `datasets`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from nndacss.errors import SettingsError, complain
from nndacss.models.segmentation import MULTIPLE
from nndacss.samples.store import SampleStore
from nndacss.train.augment import augment
from nndacss.train.batches import DrawnData, Item, Key
from nndacss.train.draws import seeded
from nndacss.train.paint import Painting
from nndacss.train.settings import TrainSettings
from nndacss.train.split import Split, split


class Varied(Dataset[Item]):
    """Training samples, painted and augmented by the chance of their epoch and position."""

    def __init__(self, store: SampleStore, groups: Sequence[int], settings: TrainSettings) -> None:
        self._store, self._groups, self._settings = store, groups, settings
        self._painting = Painting(store, settings) if settings.paint.chance else None

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        rng = seeded(self._settings.seed, "sample", epoch, position)
        pixels, sets = self._store.read(index)
        if self._painting is not None:
            # before any turn: the sun's azimuth counts from north
            record = self._store.records[index]
            pixels, sets = self._painting(pixels, sets, record, epoch, position)
        pixels, sets = augment(
            pixels,
            sets,
            self._store.roles,
            self._settings.crop,
            self._settings.augment,
            rng,
        )
        return _item(pixels, sets, self._groups[index])


class Plain(Dataset[Item]):
    """Samples as they are, whole."""

    def __init__(self, store: SampleStore, groups: Sequence[int], indices: Sequence[int]) -> None:
        self._store, self._groups, self._indices = store, groups, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        index = self._indices[place]
        return _item(*self._store.read(index), self._groups[index])


def _item(pixels: Any, sets: Any, group: int) -> Item:
    return {
        "pixels": torch.from_numpy(np.ascontiguousarray(pixels)),
        "sets": torch.from_numpy(sets.astype(np.int32)),
        "group": group,
    }


class SampleData(DrawnData):
    """Training, monitoring and held-out samples of one store.

    SettingsError where store and settings do not fit each other, DatasetError where the store
    cannot be used.
    """

    settings: TrainSettings

    def __init__(self, path: Path, settings: TrainSettings) -> None:
        self.store = SampleStore(path)
        _fits(path, self.store, settings)
        records = self.store.records
        self.datasets = tuple(sorted({record.dataset for record in records}))
        self.groups = [self.datasets.index(record.dataset) for record in records]
        self.split: Split = split(records, settings)
        members: dict[str, list[int]] = {}
        for index in self.split.train:
            members.setdefault(records[index].dataset, []).append(index)
        parts = {"monitor": self.split.monitor, "held": self.split.held}
        super().__init__(settings, members, parts)

    def varied(self) -> Dataset[Item]:
        """Augmented samples."""
        return Varied(self.store, self.groups, self.settings)

    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """Whole samples."""
        return Plain(self.store, self.groups, indices)

    def set_pixels(self) -> list[int]:
        """How many pixels have each set, 0 .. 2 ** classes - 1, in one epoch as it is drawn.

        Before painting.
        """
        totals = np.zeros(2 ** len(self.store.header.classes), dtype=np.int64)
        for index, times in Counter(self.draws.epoch(0)).items():
            sets = self.store.read_raw(index)[1]
            totals += times * np.bincount(sets.ravel(), minlength=len(totals))
        return [int(total) for total in totals]


def _fits(path: Path, store: SampleStore, settings: TrainSettings) -> None:
    side = store.header.side
    if settings.crop > side or side % MULTIPLE:
        found = f"samples of side {side}"
        expected = f"a multiple of {MULTIPLE} and at least train.crop = {settings.crop}"
        remedy = "lower train.crop or set samples.side"
        raise SettingsError(complain(path, found, expected, remedy))
    known = set(settings.scaling.offset) & set(settings.scaling.spread)
    if unknown := sorted(set(store.roles) - known):
        found = f"band {unknown[0]} without scaling"
        remedy = "add it to train.scaling, offset and spread"
        raise SettingsError(complain(path, found, f"bands {', '.join(sorted(known))}", remedy))
