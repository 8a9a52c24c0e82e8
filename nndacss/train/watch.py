"""What watches any fit: checkpoints written whole, progress for the parent."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nndacss.identity import drafted
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.learner import Learner

ensure_torchvision()
from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback, Checkpoint  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402

Report = Callable[[float, str], None]
LAST, BEST = "last.ckpt", "best.ckpt"
#: What is best when highest; of all else the lowest is.
_HIGHEST = ("iou",)


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
        return value if value is None or self._by in _HIGHEST else -value


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
        if isinstance(module, Learner) and (said := module.said()):
            message += f", {said}"
        self._report(trainer.global_step / (self._epochs * self._steps), message)
