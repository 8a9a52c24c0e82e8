"""The data of a fit, as Lightning wants it: batches out of a sample store.

A batch is a dictionary: `pixels` (batch, bands, rows, columns) float32 reflectance, NaN missing;
`sets` (batch, rows, columns) int32; `group` (batch,) the data set's place among `datasets`; of a
weighted store `sure` (batch, rows, columns) float32, how sure each label is, 0..1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from nndacss.errors import SettingsError, complain
from nndacss.labels.sets import Sets
from nndacss.models.indices import planned, with_indices
from nndacss.models.segmentation import MULTIPLE
from nndacss.raster import Pixels
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
        return self.__getitems__([key])[0]

    def __getitems__(self, keys: Sequence[Key]) -> list[Item]:
        """A batch's samples, each as it would be alone: networks paint them together."""
        found = [self._store.read(index) for _, _, index in keys]
        if self._painting is not None:
            # before any turn: the sun's azimuth counts from north
            found = self._painting.many(
                [
                    (*sample, self._store.records[index], epoch, position)
                    for sample, (epoch, position, index) in zip(found, keys, strict=True)
                ]
            )
        return [self._varied(key, *sample) for key, sample in zip(keys, found, strict=True)]

    def _varied(self, key: Key, pixels: Pixels, sets: Sets) -> Item:
        epoch, position, index = key
        pixels, labels = augment(
            pixels,
            labels_of(self._store, index, sets),
            self._store.roles,
            self._settings.crop,
            self._settings.augment,
            seeded(self._settings.seed, "sample", epoch, position),
        )
        return _item(self._store, self._settings, pixels, labels, self._groups[index])


class Plain(Dataset[Item]):
    """Samples as they are, whole."""

    def __init__(
        self,
        store: SampleStore,
        groups: Sequence[int],
        indices: Sequence[int],
        settings: TrainSettings,
    ) -> None:
        self._store, self._groups, self._indices = store, groups, indices
        self._settings = settings

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        index = self._indices[place]
        pixels, sets = self._store.read(index)
        labels = labels_of(self._store, index, sets)
        return _item(self._store, self._settings, pixels, labels, self._groups[index])


def labels_of(store: SampleStore, index: int, sets: Sets) -> Sets:
    """The sets of a sample; of a weighted store (2, rows, columns): they, and per cent sure."""
    sure = store.weight(index)
    return sets if sure is None else np.stack([sets, sure.astype(np.uint16)])


def _item(
    store: SampleStore, settings: TrainSettings, pixels: Pixels, labels: Sets, group: int
) -> Item:
    planes = with_indices(pixels, store.roles, settings.indices or ())
    sets = labels if labels.ndim == 2 else labels[0]
    item: Item = {
        "pixels": torch.from_numpy(np.ascontiguousarray(planes)),
        "sets": torch.from_numpy(sets.astype(np.int32)),
        "group": group,
    }
    if labels.ndim == 3:
        item["sure"] = torch.from_numpy(labels[1].astype(np.float32) / 100)
    return item


class SampleData(DrawnData):
    """Training, monitoring and held-out samples of one store.

    SettingsError where store and settings do not fit each other, DatasetError where the store
    cannot be used.
    """

    settings: TrainSettings

    def __init__(self, path: Path, settings: TrainSettings) -> None:
        self.store = SampleStore(path)
        self.roles = planned(settings.indices or (), self.store.roles, "train.indices")
        """Planes of the network's input: bands, then indices."""
        _fits(path, self.store, self.roles, settings)
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
        return Plain(self.store, self.groups, indices, self.settings)

    def set_pixels(self) -> list[int]:
        """How many pixels have each set, 0 .. 2 ** classes - 1, in one epoch as it is drawn.

        Before painting.
        """
        totals = np.zeros(2 ** len(self.store.header.classes), dtype=np.int64)
        for index, times in Counter(self.draws.epoch(0)).items():
            sets = self.store.read_raw(index)[1]
            totals += times * np.bincount(sets.ravel(), minlength=len(totals))
        return [int(total) for total in totals]


def _fits(path: Path, store: SampleStore, roles: Sequence[str], settings: TrainSettings) -> None:
    side = store.header.side
    if settings.crop > side or side % MULTIPLE:
        found = f"samples of side {side}"
        expected = f"a multiple of {MULTIPLE} and at least train.crop = {settings.crop}"
        remedy = "lower train.crop or set samples.side"
        raise SettingsError(complain(path, found, expected, remedy))
    known = set(settings.scaling.offset) & set(settings.scaling.spread)
    if unknown := sorted(set(roles) - known):
        found = f"band {unknown[0]} without scaling"
        remedy = "add it to train.scaling, offset and spread"
        raise SettingsError(complain(path, found, f"bands {', '.join(sorted(known))}", remedy))
