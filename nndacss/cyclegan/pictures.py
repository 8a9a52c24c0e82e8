"""Pictures of what the generators make of a few pairs, for TensorBoard."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nndacss.cyclegan.learner import CycleGAN
from nndacss.models.torchvision_fix import ensure_torchvision

ensure_torchvision()
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402

#: Share of red and near infrared in the picture's green, as published.
_GREEN = (0.25, 0.75)


class Grid(Callback):
    """A row a pair, after each epoch: Proba-V, translated, there and back; then Landsat alike."""

    def __init__(self, pv: Tensor, lu: Tensor) -> None:
        self._pv, self._lu = pv, lu

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the sheet."""
        writer: Any = getattr(trainer.logger, "experiment", None)
        if writer is None or not isinstance(pl_module, CycleGAN):
            return
        pv, lu = self._pv.to(pl_module.device), self._lu.to(pl_module.device)
        pl_module.networks.eval()
        with torch.no_grad():
            made = pl_module.translate(pv, lu)
        pl_module.networks.train()
        parts = [pv, made["l8_fake"], made["pv_cycled"], lu, made["pv_fake"], made["l8_cycled"]]
        sheet = np.concatenate([painted(part) for part in parts], axis=1)
        writer.add_image("translations", sheet, trainer.current_epoch + 1, dataformats="HWC")


def painted(images: Tensor) -> NDArray[np.uint8]:
    """(n, 4, rows, columns) to (n rows, columns, 3): red, a green of red and nir, blue; 0 to 1."""
    blue, red, nir, _ = images.float().cpu().unbind(1)
    green = _GREEN[0] * red + _GREEN[1] * nir
    light = torch.stack([red, green, blue], dim=-1).clamp(0, 1)
    sheet: NDArray[np.uint8] = (255 * light).to(torch.uint8).flatten(0, 1).numpy()
    return sheet
