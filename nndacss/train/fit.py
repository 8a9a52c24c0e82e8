"""One fit: from a sample store and settings to checkpoints, resumed exactly where it stopped."""

from __future__ import annotations

import logging
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nndacss.errors import SettingsError, WeightsError, complain
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.plugins import load
from nndacss.train.data import SampleData
from nndacss.train.losses import set_weights
from nndacss.train.module import Frame, Segmenter
from nndacss.train.settings import TrainSettings
from nndacss.train.watch import BEST, LAST, Keep, Pictures, Progress, Report, WholeCheckpoints

ensure_torchvision()
from lightning.fabric.plugins.environments.lightning import LightningEnvironment  # noqa: E402
from lightning.pytorch import Trainer  # noqa: E402
from lightning.pytorch.loggers import TensorBoardLogger  # noqa: E402

# its notes (which devices there are, tips) are for its own users
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Fitted:
    """A finished fit."""

    module: Segmenter
    data: SampleData
    history: list[dict[str, float]]
    """One entry an epoch: `train/loss`, `<part>/loss`, `<part>/iou`, ..."""
    epoch: int
    """Which epoch the module's weights are of, from 0."""


def device_for(settings: TrainSettings) -> str:
    """`cpu` or `cuda`; SettingsError where it is not there or cannot do the precision."""
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError("train.device = 'cuda', but this machine has no CUDA device; use auto")
    device = "cuda" if there and settings.device != "cpu" else "cpu"
    if settings.precision == "16-mixed" and device == "cpu":
        found = "16-mixed on a CPU"
        raise SettingsError(complain("train.precision", found, "a CUDA device", "use bf16-mixed"))
    return device


def fit(
    store: Path,
    settings: TrainSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> Fitted:
    """Fit in `folder`, going on from its `last.ckpt` if there is one.

    `start` holds weights to begin from; `stop_after` ends after so many epochs in all, as an
    interruption would: the schedule stays that of `settings.epochs`.
    """
    device = device_for(settings)
    data = SampleData(store, settings)
    scheme = load("labels", data.store.scheme)
    balance = settings.loss
    weights = set_weights(data.set_pixels(), balance.balance, balance.balance_limit)
    frame = Frame(
        data.store.roles, scheme.classes, data.datasets, tuple(data.parts), data.steps, weights
    )
    module = Segmenter(settings, frame)
    if start is not None:
        module.start_from(start)
    keep = Keep(folder, settings.best_by)
    watching = [
        Progress(report, settings.epochs, data.steps),
        Pictures(scheme, every=max(1, settings.epochs // 5)),
        keep,
    ]
    trainer = Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=settings.precision,
        max_epochs=stop_after or settings.epochs,
        callbacks=watching,
        logger=TensorBoardLogger(folder, name="logs", version=""),
        plugins=[WholeCheckpoints(), LightningEnvironment()],
        gradient_clip_val=settings.clip_gradient or None,
        log_every_n_steps=max(1, min(50, data.steps)),
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    last = folder / LAST
    if last.exists():
        check_checkpoint(last)
    trainer.fit(module, data, ckpt_path=last if last.exists() else None, weights_only=True)
    return _chosen(Fitted(module, data, keep.history, len(keep.history) - 1), settings, folder)


def _chosen(last: Fitted, settings: TrainSettings, folder: Path) -> Fitted:
    """The fit with the weights that `keep` asks for."""
    if settings.keep == "last":
        return last
    state = check_checkpoint(folder / BEST)
    last.module.load_state_dict(state["state_dict"])
    return Fitted(last.module, last.data, last.history, int(state["epoch"]))


def check_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content; WeightsError where the file is damaged."""
    whole = zipfile.is_zipfile(path)  # false where the end is missing
    try:
        if whole:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return state
        found = "a file that is cut or none of ours"
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
        found = f"what cannot be read ({str(error)[:100]})"
    remedy = "remove it: the fit starts again from its first epoch"
    raise WeightsError(complain(path, found, "a whole checkpoint", remedy))
