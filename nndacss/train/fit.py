"""One fit of a mask network: from a sample store and settings to checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nndacss.plugins import load
from nndacss.train.data import SampleData
from nndacss.train.fitting import History, device_for, run_fit
from nndacss.train.losses import set_weights
from nndacss.train.module import Frame, Segmenter
from nndacss.train.pictures import Pictures
from nndacss.train.settings import TrainSettings
from nndacss.train.watch import Report


@dataclass(frozen=True)
class Fitted:
    """A finished fit."""

    module: Segmenter
    data: SampleData
    history: History
    epoch: int
    """Which epoch the module's weights are of, from 0."""


def fit(
    store: Path,
    settings: TrainSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> Fitted:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`.

    `start` holds weights to begin from.
    """
    device_for(settings)
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
    pictures = Pictures(scheme, every=max(1, settings.epochs // 5))
    history, epoch = run_fit(module, data, folder, report, settings.best_by, [pictures], stop_after)
    return Fitted(module, data, history, epoch)
