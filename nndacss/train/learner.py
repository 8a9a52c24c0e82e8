"""What learns, whatever it learns: network, moving average, schedule, chance a step."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.errors import StageError, complain
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.fit_settings import FitSettings

ensure_torchvision()
from lightning.pytorch import LightningModule  # noqa: E402


class Learner(LightningModule):
    """One network under training. All its state is in its checkpoints: weights, buffers, average.

    A subclass says what a batch costs (`cost`) and measures in the validation hooks; `scores`
    holds what the last validation measured, by `<part>/<word>`.
    """

    def __init__(self, network: nn.Module, settings: FitSettings, steps: int) -> None:
        """`steps` is the number of batches an epoch."""
        super().__init__()
        self._fit, self._steps = settings, steps
        # torch's stubs do not know this overload of its own `to`
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network) if settings.average else None
        if self.average is not None:
            self.average.requires_grad_(requires_grad=False)
        self.scores: dict[str, float] = {}

    @abstractmethod
    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch, by the network under training."""

    @abstractmethod
    def said(self) -> str:
        """What the last validation found, in words for the progress line; may be empty."""

    @property
    def result(self) -> nn.Module:
        """The network to validate and to export."""
        return self.network if self.average is None else self.average

    def start_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over the weights of another fit of the same network."""
        self.network.load_state_dict(dict(tensors))
        if self.average is not None:
            self.average.load_state_dict(dict(tensors))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Chance inside a network (dropout, drop path) belongs to the step, not to the process."""
        del batch, batch_idx
        torch.manual_seed(self._fit.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of one batch; StageError before a loss that is no number spoils the weights."""
        del batch_idx
        loss = self.cost(batch)
        if not torch.isfinite(loss):
            found = f"a loss of {loss.item()}"
            section = self._fit.SECTION
            remedy = f"lower {section}.rate, or use {section}.precision = '32-true'"
            raise StageError(complain(f"step {self.global_step}", found, "a number", remedy))
        size = len(next(iter(batch.values())))
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average towards the new weights."""
        del outputs, batch, batch_idx
        if self.average is None:
            return
        step = self.global_step
        # a young average must not remember the random start for long
        decay = min(self._fit.average, (1 + step) / (10 + step))
        current = self.network.state_dict()
        with torch.no_grad():
            for name, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - decay)
                else:
                    value.copy_(current[name])

    def configure_optimizers(self) -> Any:
        """AdamW; the rate of a step follows from its number and the settings alone."""
        settings = self._fit
        groups = decay_groups(self.network, settings.decay)
        optimizer = torch.optim.AdamW(groups, lr=settings.rate)
        total = settings.epochs * self._steps
        warm = round(settings.warmup * total)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, total, warm)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "frequency": 1},
        }


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
