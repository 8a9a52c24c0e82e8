"""What watches a fit: checkpoints written whole, progress for the parent, pictures of results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nndacss.identity import drafted
from nndacss.labels import NODATA, Scheme
from nndacss.labels.sets import to_labels
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.module import Segmenter

ensure_torchvision()
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback, Checkpoint  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402

Report = Callable[[float, str], None]
LAST, BEST = "last.ckpt", "best.ckpt"


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the target, then renames.

    Lightning's own goes by way of the system's temporary folder, and from another disk that is a
    copy which a kill can cut short.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Whole or not at all."""
        del storage_options
        with drafted(Path(path)) as draft:
            torch.save(checkpoint, draft)


class Keep(Checkpoint):
    """After each epoch writes `last.ckpt`, and before it `best.ckpt` if this one is the best.

    In that order, so that a kill between the two repeats the epoch and writes both again.
    `history` has one entry an epoch and travels in the checkpoint.
    """

    def __init__(self, folder: Path, best_by: str) -> None:
        self._folder, self._by = folder, best_by
        self.best: float | None = None
        self.history: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, so that checkpoints load without running code."""
        return {"best": self.best, "history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint was written."""
        self.best, self.history = state_dict["best"], list(state_dict["history"])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validation of this epoch is over by now."""
        loss = trainer.callback_metrics.get("train/loss")
        entry = {"epoch": trainer.current_epoch, **getattr(pl_module, "scores", {})}
        self.history.append(entry | ({"train/loss": float(loss)} if loss is not None else {}))
        value = self._value(entry)
        if value is not None and (self.best is None or value > self.best):
            self.best = value
            trainer.save_checkpoint(self._folder / BEST)
        trainer.save_checkpoint(self._folder / LAST)

    def _value(self, entry: dict[str, float]) -> float | None:
        value = entry.get(f"monitor/{self._by}")
        return -value if value is not None and self._by == "loss" else value


class Progress(Callback):
    """Tells how far the fit is: at the start of each epoch, and then at most once a second."""

    def __init__(self, report: Report, epochs: int, steps: int) -> None:
        self._report, self._epochs, self._steps, self._told = report, epochs, steps, 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A line for the parent."""
        self._tell(trainer, pl_module, "")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A line for the parent."""
        del batch, batch_idx
        if time.monotonic() - self._told >= 1.0:
            loss = float(outputs["loss"])
            self._tell(trainer, pl_module, f", loss {loss:.3f}")

    def _tell(self, trainer: Trainer, module: LightningModule, loss: str) -> None:
        self._told = time.monotonic()
        message = f"epoch {trainer.current_epoch + 1} of {self._epochs}{loss}"
        scores = getattr(module, "scores", {})
        if (iou := scores.get("monitor/iou", scores.get("held/iou"))) is not None:
            message += f", IoU {iou:.3f} on unseen scenes"
        self._report(trainer.global_step / (self._epochs * self._steps), message)


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
