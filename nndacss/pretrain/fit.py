"""A classifier of patches: data, network, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from nndacss.errors import SettingsError, complain
from nndacss.labels import NODATA
from nndacss.labels.sets import Sets, to_labels
from nndacss.models.indices import planned, with_indices
from nndacss.models.segmentation import Scaling, build, encode
from nndacss.pretrain.settings import PretrainSettings
from nndacss.raster import Pixels
from nndacss.samples.store import SampleStore
from nndacss.train.augment import augment
from nndacss.train.batches import DrawnData, Item, Key
from nndacss.train.draws import monitored, seeded
from nndacss.train.learner import Learner
from nndacss.train.settings import TrainSettings


class Varied(Dataset[Item]):
    """Training patches, varied by the chance of their epoch and position."""

    def __init__(self, data: PatchData) -> None:
        self._data = data

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        data = self._data
        rng = seeded(data.settings.seed, "patch", epoch, position)
        pixels, sets = data.store.read(index)
        side, how = data.store.header.side, data.settings.augment
        pixels, _ = augment(pixels, sets, data.store.roles, side, how, rng)
        return data.item(pixels, sets)


class Plain(Dataset[Item]):
    """Patches as they are."""

    def __init__(self, data: PatchData, indices: Sequence[int]) -> None:
        self._data, self._indices = data, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        return self._data.item(*self._data.store.read(self._indices[place]))


class PatchData(DrawnData):
    """Patches of one store: most to train on, some scenes to watch by."""

    settings: PretrainSettings

    def __init__(self, path: Path, settings: PretrainSettings, train: TrainSettings) -> None:
        self.store = SampleStore(path)
        self.indices = train.indices or ()
        self.roles = planned(self.indices, self.store.roles, "train.indices")
        known = set(train.scaling.offset) & set(train.scaling.spread)
        if unknown := sorted(set(self.roles) - known):
            remedy = "add it to train.scaling, offset and spread"
            found = f"band {unknown[0]} without scaling"
            raise SettingsError(complain(path, found, f"{', '.join(sorted(known))}", remedy))
        records = self.store.records
        self.train: list[int] = []
        watched: list[int] = []
        members: dict[str, list[int]] = {}
        for name in sorted({record.dataset for record in records}):
            scenes = {record.scene for record in records if record.dataset == name}
            kept = monitored(scenes, settings.monitor, settings.seed)
            for index, record in enumerate(records):
                if record.dataset == name:
                    (watched if record.scene in kept else self.train).append(index)
                    if record.scene not in kept:
                        members.setdefault(name, []).append(index)
        super().__init__(settings, members, {"monitor": tuple(watched)})

    def varied(self) -> Dataset[Item]:
        """Varied patches."""
        return Varied(self)

    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """Whole patches."""
        return Plain(self, indices)

    def item(self, pixels: Pixels, sets: Sets) -> Item:
        """Planes, and the class of the patch."""
        labels = to_labels(sets)
        known = labels[labels != NODATA]
        planes = with_indices(pixels, self.store.roles, self.indices)
        code = int(torch.from_numpy(known).long().bincount().argmax()) if known.size else -1
        return {"pixels": torch.from_numpy(planes.copy()), "label": code}


class Classifier(nn.Module):
    """An encoder and one linear layer on the mean of its deepest features."""

    def __init__(self, encoder: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(channels, classes)

    def forward(self, planes: Tensor) -> Tensor:
        """(batch, planes, rows, columns) -> logits (batch, classes)."""
        deepest: Tensor = self.encoder(planes)[-1]
        logits: Tensor = self.head(deepest.mean(dim=(2, 3)))
        return logits


class PatchLearner(Learner):
    """One classifier under training."""

    def __init__(
        self,
        settings: PretrainSettings,
        train: TrainSettings,
        roles: tuple[str, ...],
        classes: int,
        steps: int,
    ) -> None:
        torch.manual_seed(settings.seed)
        encoder: Any = build(train.architecture, len(roles), classes).encoder
        channels = int(encoder.out_channels[-1])
        super().__init__(Classifier(encoder, channels, classes), settings, steps)
        self._roles: tuple[str, ...] = roles
        self._scaling: Scaling = train.scaling
        self._right = self._all = 0
        self._losses: list[float] = []

    def _logits(self, network: nn.Module, pixels: Tensor) -> Tensor:
        planes = encode(pixels, self._roles, self._scaling)
        logits: Tensor = network(planes.contiguous(memory_format=torch.channels_last))
        return logits.float()

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Cross-entropy; patches without a class do not count."""
        logits = self._logits(self.network, batch["pixels"])
        return nn.functional.cross_entropy(logits, batch["label"], ignore_index=-1)

    def said(self) -> str:
        """Accuracy on the patches that watch."""
        right = self.scores.get("monitor/accuracy")
        return "" if right is None else f"accuracy {right:.3f} on unseen patches"

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._right, self._all, self._losses = 0, 0, []

    def validation_step(
        self, batch: Mapping[str, Tensor], batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Count what is right."""
        del batch_idx, dataloader_idx
        logits, label = self._logits(self.result, batch["pixels"]), batch["label"]
        known = label >= 0
        loss = nn.functional.cross_entropy(logits, label, ignore_index=-1)
        self._losses.append(float(loss))
        self._right += int((logits.argmax(dim=1) == label)[known].sum())
        self._all += int(known.sum())

    def on_validation_epoch_end(self) -> None:
        """Loss and accuracy."""
        if self._all:
            loss = sum(self._losses) / len(self._losses)
            self.scores = {"monitor/loss": loss, "monitor/accuracy": self._right / self._all}
            self.log_dict(self.scores)
