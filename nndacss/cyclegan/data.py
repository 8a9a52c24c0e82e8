"""The data of a CycleGAN's training: batches of pairs, drawn and turned.

A batch is a dictionary: `pv` and `lu`, (batch, 4, side, side) float32 reflectance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nndacss.cyclegan.dataset import Pairs
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.errors import DatasetError, complain
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.augment import turn
from nndacss.train.batches import EpochSampler, Item, Key
from nndacss.train.draws import Draws, seeded

ensure_torchvision()
from lightning.pytorch import LightningDataModule  # noqa: E402


class Turned(Dataset[Item]):
    """Pairs, both turned or mirrored alike by the chance of their epoch and position."""

    def __init__(self, pairs: Pairs, seed: int) -> None:
        self._pairs, self._seed = pairs, seed

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        which = int(seeded(self._seed, "turn", epoch, position).integers(8))
        return {
            name: torch.from_numpy(np.ascontiguousarray(turn(image, which)))
            for name, image in zip(("pv", "lu"), self._pairs.read(index), strict=True)
        }


class PairBatches(LightningDataModule):
    """All pairs of a file take turns, in whole batches; DatasetError for less than one batch."""

    def __init__(self, path: Path, settings: CycleGANSettings) -> None:
        super().__init__()
        self.pairs, self.settings = Pairs(path), settings
        self.steps = len(self.pairs) // settings.batch_size
        """Batches an epoch."""
        if not self.steps:
            found, expected = f"{len(self.pairs)} pairs", f"a batch of {settings.batch_size}"
            remedy = "make more patches, or lower batch_size"
            raise DatasetError(complain(path, found, expected, remedy))
        members = {"pairs": range(len(self.pairs))}
        self.draws = Draws(members, {}, self.steps * settings.batch_size, settings.seed)

    def train_dataloader(self) -> DataLoader[Item]:
        """Batches of one epoch."""
        workers = self.settings.workers
        # loader processes start on a resumed epoch before Lightning says which one it is
        first = self.trainer.global_step // self.steps if self.trainer else 0
        return DataLoader(
            Turned(self.pairs, self.settings.seed),
            batch_size=self.settings.batch_size,
            sampler=EpochSampler(self.draws, first),
            num_workers=workers,
            persistent_workers=workers > 0,
            # forked workers start at once; they touch numpy only before torch has one thread
            multiprocessing_context="fork" if workers else None,
        )

    def shown(self, most: int) -> tuple[Tensor, Tensor]:
        """Some pairs as they are, spread over the file, for pictures."""
        count = min(most, len(self.pairs))
        chosen = [n * len(self.pairs) // count for n in range(count)]
        pv, lu = zip(*(self.pairs.read(index) for index in chosen), strict=True)
        return torch.from_numpy(np.stack(pv)), torch.from_numpy(np.stack(lu))
