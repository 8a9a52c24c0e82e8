"""Batches of any store, as Lightning wants them: drawn for training, whole for validation.

A batch is a dictionary of tensors with the samples along the first axis.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.draws import Draws
from nndacss.train.fit_settings import FitSettings

ensure_torchvision()
from lightning.pytorch import LightningDataModule  # noqa: E402

Key = tuple[int, int, int]
"""Epoch, position in the epoch, index in the store."""
Item = dict[str, Any]


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


class DrawnData(LightningDataModule):
    """Samples of one store, some to train on and some to watch by.

    `members` are the indices to train on, by data set; `parts` those that are validated, by the
    name of their part, in the order of the loaders.
    """

    def __init__(
        self,
        settings: FitSettings,
        members: Mapping[str, Sequence[int]],
        parts: Mapping[str, tuple[int, ...]],
    ) -> None:
        super().__init__()
        self.settings = settings
        self.parts = {name: indices for name, indices in parts.items() if indices}
        wanted = settings.samples_per_epoch or sum(len(some) for some in members.values())
        self.steps = -(-wanted // settings.batch)
        """Batches an epoch."""
        given = {name: value for name, value in settings.share.items() if name in members}
        self.draws = Draws(members, given, self.steps * settings.batch, settings.seed)

    @abstractmethod
    def varied(self) -> Dataset[Item]:
        """Training samples by `Key`; all chance comes from seed, epoch and position."""

    @abstractmethod
    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """These samples as they are, by their place among `indices`."""

    def train_dataloader(self) -> DataLoader[Item]:
        """Batches of one epoch."""
        # loader processes start on a resumed epoch before Lightning says which one it is
        first = self.trainer.global_step // self.steps if self.trainer else 0
        return DataLoader(
            self.varied(),
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
            DataLoader(self.plain(indices), batch_size=self.settings.batch)
            for indices in self.parts.values()
        ]

    def transfer_batch_to_device(
        self, batch: dict[str, Tensor], device: torch.device, dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Move a batch."""
        del dataloader_idx
        return {name: value.to(device, non_blocking=True) for name, value in batch.items()}
