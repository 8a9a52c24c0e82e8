"""The LightningModule of a cloud network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own custom

from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.models.separable_unet import CloudNet
from nndacss.train.learner import Learner


def build(settings: CloudNetSettings) -> nn.Module:
    """The network with fresh weights, by `settings.seed`."""
    torch.manual_seed(settings.seed)
    network = CloudNet(bands=4, filters=settings.filters)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = settings.momentum
    return network


def entropy(logits: Tensor, cloud: Tensor) -> Tensor:
    """Mean binary cross entropy against the share of cloud, where that is known.

    `logits` (n, 1, rows, columns), `cloud` (n, rows, columns), NaN unknown; 0 where none is known.
    """
    known = ~cloud.isnan()
    each = F.binary_cross_entropy_with_logits(
        logits[:, 0], cloud.nan_to_num(nan=0.0), reduction="none"
    )
    return (each * known).sum() / known.sum().clamp_min(1)


class CloudLearner(Learner):
    """One cloud network under training."""

    def __init__(self, settings: CloudNetSettings, steps: int) -> None:
        super().__init__(build(settings), settings, steps)
        self._counts, self._losses = torch.zeros(4), list[Tensor]()

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 4, rows, columns) to logits (n, 1, ...), by `result`."""
        logits: Tensor = self.result(pixels)
        return logits.float()

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch."""
        return entropy(self.network(batch["pixels"]).float(), batch["cloud"])

    def said(self) -> str:
        """Intersection over union on the monitoring scenes."""
        found = self.scores.get("monitor/iou")
        return "" if found is None else f"IoU {found:.3f} on unseen scenes"

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the last validation."""
        self._counts, self._losses = torch.zeros(4), []

    def validation_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> None:
        """Take in one batch."""
        del batch_idx
        logits, cloud = self(batch["pixels"]), batch["cloud"]
        self._losses.append(entropy(logits, cloud))
        known = ~cloud.isnan()
        true, found = (cloud >= 0.5)[known], (logits[:, 0] >= 0)[known]
        pairs = 2 * true.long() + found.long()
        self._counts += torch.bincount(pairs, minlength=4).cpu()

    def on_validation_epoch_end(self) -> None:
        """Log the scores."""
        clear, wrong, missed, hit = self._counts.tolist()
        total = max(1.0, clear + wrong + missed + hit)
        found = {
            "loss": torch.stack(self._losses).mean().item(),
            "accuracy": (clear + hit) / total,
            "iou": hit / max(1.0, hit + wrong + missed),
        }
        self.scores = {f"monitor/{word}": value for word, value in found.items()}
        self.log_dict(self.scores)
