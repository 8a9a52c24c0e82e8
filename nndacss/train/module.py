"""The LightningModule of a segmentation: network, loss over label sets, counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nndacss.models.segmentation import build, encode
from nndacss.train.encoder import freeze, layers
from nndacss.train.learner import Learner, decay_groups
from nndacss.train.losses import counts, dice, intersection_over_union, likelihood
from nndacss.train.settings import TrainSettings

#: One cycle of the rate and of AdamW's first moment, as fastai's `fit_one_cycle` has it: from a
#: 25th of the rate up in a quarter of the steps, and down to a 100,000th.
ONE_CYCLE: dict[str, Any] = {
    "pct_start": 0.25,
    "div_factor": 25.0,
    "final_div_factor": 4000.0,
    "base_momentum": 0.85,
    "max_momentum": 0.95,
}


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
    lean: tuple[float, ...]
    """What is added to the logit of each class, once it has learned."""


class Segmenter(Learner):
    """One segmentation network under training."""

    set_weights: Tensor
    lean: Tensor

    def __init__(self, settings: TrainSettings, frame: Frame) -> None:
        torch.manual_seed(settings.seed)
        network = build(settings.architecture, len(frame.roles), len(frame.classes))
        super().__init__(network, settings, frame.steps)
        self.settings, self.frame = settings, frame
        self.register_buffer("set_weights", torch.tensor(frame.set_weights), persistent=False)
        lean = torch.tensor(frame.lean).reshape(-1, 1, 1)
        self.register_buffer("lean", lean, persistent=False)
        self.rate = settings.rate
        """Largest rate; may be another than the settings', where it is found."""
        self._lowest = settings.transfer.lowest if settings.transfer else 1.0
        self._counts: dict[str, Tensor] = {}
        self._losses: dict[str, list[Tensor]] = {}

    @property
    def encoder(self) -> nn.Module:
        """The part of the network that may start from elsewhere."""
        return _encoder(self.network)

    def prepare(self, frozen: bool, adapted: bool) -> None:
        """Say which layers learn; `adapted`: the encoder's first layer was made for other bands.

        What learns while the encoder is frozen learns at one rate.
        """
        if frozen:
            freeze(self.encoder, keep_first=adapted)
            self._lowest = 1.0

    def configure_optimizers(self) -> Any:
        """As every fit; with `transfer` one cycle of the rate, slower in deeper layers."""
        if self.settings.transfer is None:
            return super().configure_optimizers()
        groups = rate_groups(self.network, self.rate, self._lowest, self.settings.decay)
        optimizer = torch.optim.AdamW(groups)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in groups],
            total_steps=self.settings.epochs * self.frame.steps,
            **ONE_CYCLE,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "frequency": 1},
        }

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, bands, rows, columns) reflectance -> float32 logits, by `result`, as exported."""
        logits: Tensor = self.result(self._encode(pixels))
        return logits.float() + self.lean

    def _encode(self, pixels: Tensor) -> Tensor:
        planes = encode(pixels, self.frame.roles, self.settings.scaling)
        return planes.contiguous(memory_format=torch.channels_last)

    def _loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        sets, sure = batch["sets"], batch.get("sure")
        loss = likelihood(logits, sets, self.set_weights, sure)
        if self.settings.loss.dice:
            loss = loss + self.settings.loss.dice * dice(logits, sets, sure)
        return loss

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch."""
        logits = self.network(self._encode(batch["pixels"])).float()
        return self._loss(logits, batch)

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
        self._losses.setdefault(part, []).append(self._loss(logits, batch))
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


def rate_groups(
    network: nn.Module, rate: float, lowest: float, decay: float
) -> list[dict[str, Any]]:
    """Groups of an optimizer: the encoder's parts from the input on, then all else.

    Their rates grow by a constant factor from `lowest * rate` to `rate`; what does not learn is in
    no group.
    """
    encoder = _encoder(network)
    inside = {id(value) for value in encoder.parameters()}
    rest = nn.ParameterList(value for value in network.parameters() if id(value) not in inside)
    parts = [*layers(encoder), rest]
    groups = []
    for part, share in zip(parts, np.geomspace(lowest, 1.0, len(parts)).tolist(), strict=True):
        for group in decay_groups(part, decay):
            groups += [{**group, "lr": rate * share}] if group["params"] else []
    return groups


def _encoder(network: nn.Module) -> nn.Module:
    return cast(nn.Module, network.encoder)
