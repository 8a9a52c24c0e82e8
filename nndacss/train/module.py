"""The LightningModule: network, loss over label sets, schedule, moving average, counts."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.errors import StageError, complain
from nndacss.models.segmentation import build, encode
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.losses import counts, dice, intersection_over_union, likelihood
from nndacss.train.settings import TrainSettings

ensure_torchvision()
from lightning.pytorch import LightningModule  # noqa: E402


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


class Segmenter(LightningModule):
    """One network under training. All its state is in its checkpoints: weights, buffers, average.

    `scores` holds what the last validation measured.
    """

    set_weights: Tensor

    def __init__(self, settings: TrainSettings, frame: Frame) -> None:
        super().__init__()
        self.settings, self.frame = settings, frame
        torch.manual_seed(settings.seed)
        network = build(settings.architecture, len(frame.roles), len(frame.classes))
        # torch's stubs do not know this overload of its own `to`
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network) if settings.average else None
        if self.average is not None:
            self.average.requires_grad_(requires_grad=False)
        self.register_buffer("set_weights", torch.tensor(frame.set_weights), persistent=False)
        self.scores: dict[str, float] = {}
        self._counts: dict[str, Tensor] = {}
        self._losses: dict[str, list[Tensor]] = {}

    @property
    def result(self) -> nn.Module:
        """The network to validate and to export."""
        return self.network if self.average is None else self.average

    def start_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over the weights of another fit of the same network."""
        self.network.load_state_dict(dict(tensors))
        if self.average is not None:
            self.average.load_state_dict(dict(tensors))

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

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Chance inside a network (dropout, drop path) belongs to the step, not to the process."""
        del batch, batch_idx
        torch.manual_seed(self.settings.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of one batch; StageError before a loss that is no number spoils the weights."""
        del batch_idx
        logits = self.network(self._encode(batch["pixels"])).float()
        loss = self._loss(logits, batch["sets"])
        if not torch.isfinite(loss):
            found = f"a loss of {loss.item()}"
            remedy = "lower train.rate, or use train.precision = '32-true'"
            raise StageError(complain(f"step {self.global_step}", found, "a number", remedy))
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["sets"]))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average towards the new weights."""
        del outputs, batch, batch_idx
        if self.average is None:
            return
        step = self.global_step
        # a young average must not remember the random start for long
        decay = min(self.settings.average, (1 + step) / (10 + step))
        current = self.network.state_dict()
        with torch.no_grad():
            for name, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - decay)
                else:
                    value.copy_(current[name])

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

    def configure_optimizers(self) -> Any:
        """AdamW; the rate of a step follows from its number and the settings alone."""
        settings = self.settings
        groups = decay_groups(self.network, settings.decay)
        optimizer = torch.optim.AdamW(groups, lr=settings.rate)
        total = settings.epochs * self.frame.steps
        warm = round(settings.warmup * total)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, total, warm)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "frequency": 1},
        }


def _mean_iou(counted: Tensor) -> float:
    """Over the classes that are there; 0 where there is none, so that it can be compared."""
    return float(intersection_over_union(counted).nanmean().nan_to_num().item())


def decay_groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for kernels alone: it would pull biases and norms to 0 for nothing."""
    trained = [value for value in network.parameters() if value.requires_grad]
    kernels: Sequence[Tensor] = [value for value in trained if value.ndim > 1]
    others: Sequence[Tensor] = [value for value in trained if value.ndim <= 1]
    return [
        {"params": kernels, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]


def rate_factor(step: int, total: int, warm: int) -> float:
    """Share of the largest rate at a step: a linear rise over `warm` steps, then a half cosine.

    >>> [round(rate_factor(step, 10, 2), 3) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warm:
        return (step + 1) / warm
    progress = min(1.0, (step - warm) / max(1, total - warm))
    return 0.5 * (1 + math.cos(math.pi * progress))
