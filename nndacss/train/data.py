"""The data of a fit, as Lightning wants it: batches out of a sample store.

A batch is a dictionary: `pixels` (batch, bands, rows, columns) float32 reflectance, NaN missing;
`sets` (batch, rows, columns) int32; `group` (batch,) the data set's place among `datasets`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from nndacss.errors import SettingsError, complain
from nndacss.models.segmentation import MULTIPLE
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.samples.store import SampleStore
from nndacss.train.augment import augment
from nndacss.train.settings import TrainSettings
from nndacss.train.split import Draws, Split, seeded, split

ensure_torchvision()
from lightning.pytorch import LightningDataModule  # noqa: E402

Key = tuple[int, int, int]
"""Epoch, position in the epoch, index in the store."""
Item = dict[str, Any]


class Varied(Dataset[Item]):
    """Training samples, each augmented by the chance that belongs to its epoch and position."""

    def __init__(self, store: SampleStore, groups: Sequence[int], settings: TrainSettings) -> None:
        self._store, self._groups, self._settings = store, groups, settings

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        rng = seeded(self._settings.seed, "sample", epoch, position)
        pixels, sets = augment(
            *self._store.read(index),
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


class EpochSampler(Sampler[Key]):
    """Keys of one epoch after another; Lightning tells it which one before each."""

    def __init__(self, draws: Draws, first: int) -> None:
        self._draws, self._epoch = draws, first

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._draws)

    def __iter__(self) -> Iterator[Key]:
        for position, index in enumerate(self._draws.epoch(self._epoch)):
            yield self._epoch, position, index


class SampleData(LightningDataModule):
    """Training, monitoring and held-out samples of one store.

    SettingsError where store and settings do not fit each other, DatasetError where the store
    cannot be used.
    """

    def __init__(self, path: Path, settings: TrainSettings) -> None:
        super().__init__()
        self.store, self.settings = SampleStore(path), settings
        _fits(path, self.store, settings)
        records = self.store.records
        self.datasets = tuple(sorted({record.dataset for record in records}))
        self.groups = [self.datasets.index(record.dataset) for record in records]
        self.split: Split = split(records, settings)
        wanted = settings.samples_per_epoch or len(self.split.train)
        self.steps = -(-wanted // settings.batch)
        """Batches an epoch."""
        members: dict[str, list[int]] = {}
        for index in self.split.train:
            members.setdefault(records[index].dataset, []).append(index)
        size = self.steps * settings.batch
        given = {name: value for name, value in settings.share.items() if name in members}
        self.draws = Draws(members, given, size, settings.seed)

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """The samples that are validated, in the order of the loaders: `monitor`, `held`."""
        both = {"monitor": self.split.monitor, "held": self.split.held}
        return {name: indices for name, indices in both.items() if indices}

    def set_pixels(self) -> list[int]:
        """How many pixels have each set, 0 .. 2 ** classes - 1, in one epoch as it is drawn."""
        totals = np.zeros(2 ** len(self.store.header.classes), dtype=np.int64)
        for index, times in Counter(self.draws.epoch(0)).items():
            sets = self.store.read_raw(index)[1]
            totals += times * np.bincount(sets.ravel(), minlength=len(totals))
        return [int(total) for total in totals]

    def train_dataloader(self) -> DataLoader[Item]:
        """Batches of one epoch."""
        # loader processes start on a resumed epoch before Lightning says which one it is
        first = self.trainer.global_step // self.steps if self.trainer else 0
        return DataLoader(
            Varied(self.store, self.groups, self.settings),
            batch_size=self.settings.batch,
            sampler=EpochSampler(self.draws, first),
            num_workers=self.settings.workers,
            persistent_workers=self.settings.workers > 0,
            # forked workers start at once; they touch numpy only before torch has one thread
            multiprocessing_context="fork" if self.settings.workers else None,
        )

    def val_dataloader(self) -> list[DataLoader[Item]]:
        """One loader for each of `parts`; loading is a small part of validation."""
        return [
            DataLoader(Plain(self.store, self.groups, indices), batch_size=self.settings.batch)
            for indices in self.parts.values()
        ]

    def transfer_batch_to_device(
        self, batch: dict[str, Tensor], device: torch.device, dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Move a batch."""
        del dataloader_idx
        return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


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
