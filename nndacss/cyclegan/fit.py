"""One training of a CycleGAN: from a file of pairs and settings to checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nndacss.cyclegan.data import PairBatches
from nndacss.cyclegan.learner import CycleGAN
from nndacss.cyclegan.pictures import Grid
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.errors import SettingsError, complain
from nndacss.models.torchvision_fix import ensure_torchvision
from nndacss.train.fitting import History, check_checkpoint
from nndacss.train.watch import LAST, Keep, Progress, Report, WholeCheckpoints

ensure_torchvision()
import torch  # noqa: E402
from lightning.fabric.plugins.environments.lightning import LightningEnvironment  # noqa: E402
from lightning.pytorch import Trainer  # noqa: E402
from lightning.pytorch.loggers import TensorBoardLogger  # noqa: E402

#: Pairs in the pictures.
_SHOWN = 6


@dataclass(frozen=True)
class Trained:
    """A finished training."""

    learner: CycleGAN
    data: PairBatches
    history: History
    """One entry an epoch: the mean of every term, by `train/<name>`."""


def fit(
    path: Path,
    settings: CycleGANSettings,
    clouds: nn.Module | None,
    folder: Path,
    report: Report,
    stop_after: int | None = None,
) -> Trained:
    """Train in `folder`, going on from its `last.ckpt` if there is one: the same weights result.

    `stop_after` ends after so many epochs in all, as an interruption would.
    """
    data, learner = PairBatches(path, settings), CycleGAN(settings, clouds)
    # no best: adversarial losses do not say which epoch is good
    keep = Keep(folder, best_by="")
    shown = Grid(*data.shown(_SHOWN))
    trainer = Trainer(
        accelerator="gpu" if _cuda(settings) else "cpu",
        devices=1,
        precision=settings.precision,
        max_epochs=stop_after or settings.epochs,
        callbacks=[Progress(report, settings.epochs, data.steps), shown, keep],
        logger=TensorBoardLogger(folder, name="logs", version=""),
        plugins=[WholeCheckpoints(), LightningEnvironment()],
        log_every_n_steps=max(1, min(20, data.steps)),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    last = folder / LAST
    if last.exists():
        check_checkpoint(last)
    trainer.fit(learner, data, ckpt_path=last if last.exists() else None, weights_only=True)
    return Trained(learner, data, keep.history)


def _cuda(settings: CycleGANSettings) -> bool:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        found = "no CUDA device on this machine"
        raise SettingsError(complain("cyclegan.device = 'cuda'", found, "one", "use auto"))
    return there and settings.device != "cpu"
