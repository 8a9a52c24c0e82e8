"""The LightningModule of an inpainting network: network, losses, measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.inpainter import losses
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.inpainter import decoded, planes
from nndacss.models.segmentation import build, encode
from nndacss.train.learner import Learner


class InpainterLearner(Learner):
    """One inpainting network under training."""

    typical: Tensor

    def __init__(
        self,
        settings: InpainterSettings,
        roles: tuple[str, ...],
        datasets: Sequence[str],
        typical: Sequence[float],
        steps: int,
    ) -> None:
        """`typical` is the structure's mean reflectance, one a band: what is to be beaten."""
        torch.manual_seed(settings.seed)
        super().__init__(build(settings.architecture, len(roles), len(roles)), settings, steps)
        self.settings, self.roles, self.datasets = settings, roles, tuple(datasets)
        mean = torch.tensor(list(typical), dtype=torch.float32)
        self.register_buffer("typical", mean, persistent=False)
        self._errors: dict[str, Tensor] = {}
        self._losses: list[Tensor] = []

    def forward(self, pixels: Tensor, hole: Tensor) -> Tensor:
        """(n, bands, rows, columns) reflectance as painted, by `result`; (n, rows, columns) hole.

        Outside the hole too it is what the network says.
        """
        shown = planes(pixels, hole, self.roles, self.settings.scaling)
        return decoded(self.result(shown).float(), self.roles, self.settings.scaling)

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch."""
        pixels, hole = batch["pixels"], batch["hole"]
        shown = planes(pixels, hole, self.roles, self.settings.scaling)
        return self._loss(self.network(shown).float(), pixels, hole)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """In the last epochs batch norms run as they will."""
        super().on_train_batch_start(batch, batch_idx)
        if self.current_epoch >= round(self.settings.epochs * (1 - self.settings.settle)):
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _loss(self, found: Tensor, pixels: Tensor, hole: Tensor) -> Tensor:
        """`found` is in scaled units, `pixels` in reflectance."""
        target, seen = encode(pixels, self.roles, self.settings.scaling).chunk(2, dim=1)
        present, hidden = seen > 0, hole[:, None]
        loss = losses.inside(found, target, present, hidden)
        own = self.settings.loss
        if own.second == "whole":
            return loss + own.weight * losses.whole(found, target, present)
        return loss + own.weight * losses.gradient(found, target, present, hidden)

    def said(self) -> str:
        """Mean absolute error in the hole, beside that of one colour for all."""
        if "monitor/l1" not in self.scores:
            return ""
        error, plain = self.scores["monitor/l1"], self.scores["monitor/one_colour"]
        return f"error {error:.3f} on unseen scenes (one colour for all: {plain:.3f})"

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the last validation."""
        self._errors, self._losses = {}, []

    def validation_step(
        self, batch: Mapping[str, Tensor], batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Sums of absolute errors in the holes, (3, bands): network, one colour, pixels."""
        del batch_idx, dataloader_idx
        pixels, hole = batch["pixels"], batch["hole"]
        shown = planes(pixels, hole, self.roles, self.settings.scaling)
        output = self.result(shown).float()
        self._losses.append(self._loss(output, pixels, hole))
        painted = decoded(output, self.roles, self.settings.scaling)
        counted = hole[:, None] & torch.isfinite(pixels)
        plain = self.typical.view(-1, 1, 1)
        sums = [
            values.masked_fill(~counted, 0).double().sum(dim=(2, 3))
            for values in ((painted - pixels).abs(), (plain - pixels).abs(), counted.double())
        ]
        errors = torch.stack(sums, dim=1)  # (n, 3, bands)
        for group in sorted(set(batch["group"].tolist())):
            name = self.datasets[group]
            new = errors[batch["group"] == group].sum(dim=0)
            self._errors[name] = self._errors[name] + new if name in self._errors else new

    def on_validation_epoch_end(self) -> None:
        """Log loss and mean absolute errors, reflectance: of all, by data set and by band."""
        self.scores = {"monitor/loss": torch.stack(self._losses).mean().item()}
        total = torch.stack(list(self._errors.values())).sum(dim=0)
        for name, sums in (("monitor", total), *self._named()):
            network, plain, count = sums
            seen = count > 0
            self.scores[f"{name}/l1"] = float((network[seen] / count[seen]).mean())
            self.scores[f"{name}/one_colour"] = float((plain[seen] / count[seen]).mean())
        for role, error, count in zip(self.roles, total[0], total[2], strict=True):
            if count > 0:
                self.scores[f"monitor/l1_{role}"] = float(error / count)
        self.log_dict(self.scores)

    def _named(self) -> list[tuple[str, Tensor]]:
        return [(f"monitor/{name}", sums) for name, sums in sorted(self._errors.items())]
