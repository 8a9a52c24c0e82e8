"""Pictures of what a mask network makes of a few samples, for TensorBoard."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nndacss.labels import NODATA, Scheme
from nndacss.labels.sets import to_labels
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.module import Segmenter

ensure_torchvision()
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402


class Pictures(Callback):
    """A few validation samples in TensorBoard: image, label, prediction side by side."""

    def __init__(self, scheme: Scheme, every: int, most: int = 4) -> None:
        self._scheme, self._every, self._most = scheme, every, most

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Every few epochs and at the end."""
        writer = getattr(trainer.logger, "experiment", None)
        due = (trainer.current_epoch + 1) % self._every == 0
        if not due or writer is None or not isinstance(pl_module, Segmenter):
            return
        loaders: Any = trainer.val_dataloaders
        for part, loader in zip(pl_module.frame.parts, loaders, strict=True):
            batch = next(iter(loader))
            pixels = batch["pixels"][: self._most].to(pl_module.device)
            labels = pl_module(pixels).argmax(dim=1).to(torch.uint8).cpu().numpy()
            sheet = self._sheet(pl_module, pixels.cpu(), batch["sets"][: self._most], labels)
            writer.add_image(f"{part}", sheet, trainer.global_step, dataformats="HWC")

    def _sheet(
        self, module: Segmenter, pixels: Tensor, sets: Tensor, labels: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        truth = to_labels(sets.numpy().astype(np.uint16))
        shown = [module.frame.roles.index(role) for role in ("red", "green", "blue")]
        light = np.nan_to_num(pixels.numpy()[:, shown].transpose(0, 2, 3, 1)) / 0.6
        image = (255 * np.clip(light, 0, 1) ** 0.6).astype(np.uint8)
        return np.concatenate(
            [
                np.concatenate([one, self._painted(true), self._painted(found)], axis=1)
                for one, true, found in zip(image, truth, labels, strict=True)
            ]
        )

    def _painted(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        colours = np.zeros((256, 3), dtype=np.uint8)
        colours[: len(self._scheme.colours)] = self._scheme.colours
        colours[NODATA] = (0, 0, 0)
        return colours[labels]
