"""Pictures of what a harmonizer makes of a few pairs, for TensorBoard."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.harmonizer.module import HarmonizerLearner
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE

ensure_torchvision()
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402

#: Reflectance that is white in the pictures.
_WHITE = 0.3


class Pictures(Callback):
    """A few monitoring pairs: input, result, target side by side, in true colour."""

    def __init__(self, every: int, most: int = 4) -> None:
        self._every, self._most = every, most

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Every few epochs and at the end."""
        writer = getattr(trainer.logger, "experiment", None)
        due = (trainer.current_epoch + 1) % self._every == 0
        if not due or writer is None or not isinstance(pl_module, HarmonizerLearner):
            return
        loaders: Any = trainer.val_dataloaders
        for loader in loaders:
            batch = next(iter(loader))
            inputs, target = (batch[name][: self._most] for name in ("inputs", "target"))
            mean, _ = pl_module(inputs.to(pl_module.device))
            columns = [_painted(part.cpu().numpy()) for part in (inputs, mean, target)]
            sheet = np.concatenate(columns, axis=1)
            writer.add_image("monitor", sheet, trainer.global_step, dataformats="HWC")


def _painted(pixels: Pixels) -> NDArray[np.uint8]:
    """(n, bands, rows, columns) to (n rows, columns, 3), one image below the other."""
    shown = [REFLECTIVE.index(role) for role in ("red", "green", "blue")]
    light = np.nan_to_num(pixels[:, shown].transpose(0, 2, 3, 1)) / _WHITE
    image: NDArray[np.uint8] = (255 * np.clip(light, 0, 1) ** 0.6).astype(np.uint8)
    return image.reshape(-1, *image.shape[2:])
