"""The LightningModule of a harmonizer: network, losses, measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from nndacss.harmonize.spectral import step
from nndacss.harmonizer.losses import total
from nndacss.harmonizer.measure import Totals
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.models import detail
from nndacss.models.detail import DetailArchitecture
from nndacss.models.harmonizer import published_input
from nndacss.sensors import REFLECTIVE
from nndacss.train.learner import Learner


def build(settings: HarmonizerSettings) -> nn.Module:
    """The network of the settings with fresh weights, by `settings.seed`."""
    torch.manual_seed(settings.seed)
    architecture = settings.built
    if isinstance(architecture, DetailArchitecture):
        return detail.build(architecture)
    from nndacss.models import deep_harmonization

    network: nn.Module = deep_harmonization.build(architecture.depth, architecture.up)
    return network


class HarmonizerLearner(Learner):
    """One harmonizer under training."""

    matrix: Tensor
    shift: Tensor

    def __init__(self, settings: HarmonizerSettings, steps: int) -> None:
        super().__init__(build(settings), settings, steps)
        self.settings = settings
        known = step(settings.target)
        self.register_buffer("matrix", torch.tensor(known.matrix), persistent=False)
        self.register_buffer("shift", torch.tensor(known.offset).view(-1, 1, 1), persistent=False)
        self._totals, self._losses = Totals(), list[Tensor]()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """(n, 7, rows, columns) to float32 mean and log sigma, each (n, 6, ...), by `result`."""
        return self._apply_network(self.result, inputs)

    def _apply_network(self, network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.settings.family == "detail":
            mean, log_sigma = network(inputs)
            return mean.float(), log_sigma.float()
        return network(published_input(inputs)).float(), None

    def base(self, inputs: Tensor) -> Tensor:
        """The spectral step alone, (n, 6, rows, columns); 0 where one of its bands is missing."""
        bands = inputs[:, : len(REFLECTIVE)]
        # no matrix product in half precision, which has three digits
        with torch.autocast(inputs.device.type, enabled=False):
            stepped = torch.einsum("ij,njrc->nirc", self.matrix, bands) + self.shift
        return stepped.nan_to_num(nan=0.0)

    def _loss(
        self, mean: Tensor, log_sigma: Tensor | None, base: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        with torch.autocast(mean.device.type, enabled=False):
            return total(mean, log_sigma, base, batch, self.settings.loss)

    def cost(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of one batch."""
        mean, log_sigma = self._apply_network(self.network, batch["inputs"])
        return self._loss(mean, log_sigma, self.base(batch["inputs"]), batch)

    def said(self) -> str:
        """Mean absolute error on the monitoring scenes."""
        found = self.scores.get("monitor/l1")
        return "" if found is None else f"error {found:.4f} on unseen scenes"

    def on_validation_epoch_start(self) -> None:
        """Forget the sums of the last validation."""
        self._totals, self._losses = Totals(), []

    def validation_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> None:
        """Take in one batch."""
        del batch_idx
        mean, log_sigma = self(batch["inputs"])
        base = self.base(batch["inputs"])
        self._losses.append(self._loss(mean, log_sigma, base, batch))
        self._totals.add(batch, mean, log_sigma, base)

    def on_validation_epoch_end(self) -> None:
        """Log the scores."""
        found = {"loss": torch.stack(self._losses).mean().item(), **self._totals.scores()}
        self.scores = {f"monitor/{word}": value for word, value in found.items()}
        self.log_dict(self.scores)

    @torch.no_grad()
    def measure(self, batches: Iterable[Mapping[str, Tensor]]) -> Totals:
        """Sums over batches, by `result`, outside of a fit."""
        totals = Totals()
        self.eval()
        for batch in batches:
            own = {name: value.to(self.matrix.device) for name, value in batch.items()}
            mean, log_sigma = self(own["inputs"])
            totals.add(own, mean, log_sigma, self.base(own["inputs"]))
        return totals

    def add_calibration(self, amount: Tensor) -> None:
        """Move log sigma of `result` by `amount` (6,)."""
        buffer = cast(Tensor, self.result.calibration)
        buffer += amount.to(buffer)
