"""The LightningModule of a mask: network, loss over label sets, counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nndacss.models.segmentation import build, encode
from nndacss.train.learner import Learner
from nndacss.train.losses import counts, dice, intersection_over_union, likelihood
from nndacss.train.settings import TrainSettings


@dataclass(frozen=True)
class Frame:
    """What a module must know of the data it is fitted to."""

    roles: tuple[str, ...]
    classes: tuple[str, ...]
    datasets: tuple[str, ...]
    parts: tuple[str, ...]
    """Names of the validation loaders, in order."""
    steps: int
    """Batches an epoch."""
    set_weights: tuple[float, ...]
    """How much a pixel counts, by its label set."""


class Segmenter(Learner):
    """One mask network under training."""

    set_weights: Tensor

    def __init__(self, settings: TrainSettings, frame: Frame) -> None:
        torch.manual_seed(settings.seed)
        network = build(settings.architecture, len(frame.roles), len(frame.classes))
        super().__init__(network, settings, frame.steps)
        self.settings, self.frame = settings, frame
        self.register_buffer("set_weights", torch.tensor(frame.set_weights), persistent=False)
        self._counts: dict[str, Tensor] = {}
        self._losses: dict[str, list[Tensor]] = {}

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, bands, rows, columns) reflectance -> float32 logits, by `result`."""
        logits: Tensor = self.result(self._encode(pixels))
        return logits.float()

    def _encode(self, pixels: Tensor) -> Tensor:
        planes = encode(pixels, self.frame.roles, self.settings.scaling)
        return planes.contiguous(memory_format=torch.channels_last)

    def _loss(self, logits: Tensor, sets: Tensor) -> Tensor:
        loss = likelihood(logits, sets, self.set_weights)
        if self.settings.loss.dice:
            loss = loss + self.settings.loss.dice * dice(logits, sets)
        return loss

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch."""
        logits = self.network(self._encode(batch["pixels"])).float()
        return self._loss(logits, batch["sets"])

    def said(self) -> str:
        """Mean IoU of the monitoring scenes, or of the held-out fold where there are none."""
        iou = self.scores.get("monitor/iou", self.scores.get("held/iou"))
        return "" if iou is None else f"IoU {iou:.3f} on unseen scenes"

    def on_validation_epoch_start(self) -> None:
        """Forget the counts of the last validation."""
        self._counts, self._losses = {}, {}

    def validation_step(
        self, batch: Mapping[str, Tensor], batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Counts of each data set, loss of each part."""
        del batch_idx
        logits, sets = self(batch["pixels"]), batch["sets"]
        part = self.frame.parts[dataloader_idx]
        self._losses.setdefault(part, []).append(self._loss(logits, sets))
        counted = counts(logits.argmax(dim=1), sets, len(self.frame.classes))
        for group in sorted(set(batch["group"].tolist())):
            name = f"{part}/{self.frame.datasets[group]}"
            new = counted[batch["group"] == group].sum(dim=0)
            self._counts[name] = self._counts[name] + new if name in self._counts else new

    def on_validation_epoch_end(self) -> None:
        """Log losses and IoU of each part and data set; counts are pooled, then divided."""
        self.scores = {}
        for part, losses in self._losses.items():
            self.scores[f"{part}/loss"] = torch.stack(losses).mean().item()
            pooled = [value for name, value in self._counts.items() if name.startswith(f"{part}/")]
            self.scores[f"{part}/iou"] = _mean_iou(torch.stack(pooled).sum(dim=0))
        for name, counted in self._counts.items():
            values = intersection_over_union(counted).tolist()
            for word, value in zip(self.frame.classes, values, strict=True):
                if not math.isnan(value):
                    self.scores[f"{name}/iou_{word}"] = value
        self.log_dict(self.scores)


def _mean_iou(counted: Tensor) -> float:
    """Over the classes that are there; 0 where there is none, so that it can be compared."""
    return float(intersection_over_union(counted).nanmean().nan_to_num().item())
