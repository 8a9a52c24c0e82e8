"""One fit of any learner: checkpoints, resumed exactly where it stopped."""

from __future__ import annotations

import logging
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from nndacss.errors import SettingsError, WeightsError, complain
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.batches import DrawnData
from nndacss.train.fit_settings import FitSettings
from nndacss.train.learner import Learner
from nndacss.train.watch import BEST, LAST, Keep, Progress, Report, WholeCheckpoints

ensure_torchvision()
from lightning.fabric.plugins.environments.lightning import LightningEnvironment  # noqa: E402
from lightning.pytorch import Callback, Trainer  # noqa: E402
from lightning.pytorch.loggers import TensorBoardLogger  # noqa: E402

# its notes (which devices there are, tips) are for its own users
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)

History = list[dict[str, float]]
"""One entry an epoch: `train/loss` and what validation measured, by `<part>/<word>`."""
L = TypeVar("L", bound=Learner)
D = TypeVar("D", bound=DrawnData)


@dataclass(frozen=True)
class Fitted(Generic[L, D]):
    """A finished fit."""

    learner: L
    data: D
    history: History
    epoch: int
    """Which epoch the learner's weights are of, from 0."""


def device_for(settings: FitSettings) -> str:
    """`cpu` or `cuda`; SettingsError where it is not there or cannot do the precision."""
    section, there = settings.SECTION, torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        found = "no CUDA device on this machine"
        raise SettingsError(complain(f"{section}.device = 'cuda'", found, "one", "use auto"))
    device = "cuda" if there and settings.device != "cpu" else "cpu"
    if settings.precision == "16-mixed" and device == "cpu":
        subject, found = f"{section}.precision", "16-mixed on a CPU"
        raise SettingsError(complain(subject, found, "a CUDA device", "use bf16-mixed"))
    return device


def run_fit(
    learner: L,
    data: D,
    folder: Path,
    report: Report,
    best_by: str,
    watching: Sequence[Callback] = (),
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> Fitted[L, D]:
    """Fit in `folder`, going on from its `last.ckpt` if there is one.

    `start` holds weights to begin from. The learner ends with the weights that `settings.keep`
    asks for. `stop_after` ends after so many epochs in all, as an interruption would: the
    schedule stays that of `settings.epochs`.
    """
    settings = data.settings
    if start is not None:
        learner.start_from(start)
    keep = Keep(folder, best_by)
    trainer = Trainer(
        accelerator="gpu" if device_for(settings) == "cuda" else "cpu",
        devices=1,
        precision=settings.precision,
        max_epochs=stop_after or settings.epochs,
        callbacks=[Progress(report, settings.epochs, data.steps), *watching, keep],
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
    trainer.fit(learner, data, ckpt_path=last if last.exists() else None, weights_only=True)
    if settings.keep == "last":
        return Fitted(learner, data, keep.history, len(keep.history) - 1)
    state = check_checkpoint(folder / BEST)
    learner.load_state_dict(state["state_dict"])
    return Fitted(learner, data, keep.history, int(state["epoch"]))


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
