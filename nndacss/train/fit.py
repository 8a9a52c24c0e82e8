"""One fit of a mask network: from a sample store and settings to checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from nndacss.plugins import load
from nndacss.train.data import SampleData
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.losses import set_weights
from nndacss.train.module import Frame, Segmenter
from nndacss.train.pictures import Pictures
from nndacss.train.settings import TrainSettings
from nndacss.train.watch import Report

MaskFit = Fitted[Segmenter, SampleData]
"""A finished fit of a mask network."""


def fit(
    store: Path,
    settings: TrainSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> MaskFit:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`."""
    device_for(settings)
    data = SampleData(store, settings)
    scheme = load("labels", data.store.scheme)
    balance = settings.loss
    weights = set_weights(data.set_pixels(), balance.balance, balance.balance_limit)
    frame = Frame(
        data.store.roles, scheme.classes, data.datasets, tuple(data.parts), data.steps, weights
    )
    learner = Segmenter(settings, frame)
    watching = [Pictures(scheme, every=max(1, settings.epochs // 5))]
    return run_fit(learner, data, folder, report, settings.best_by, watching, start, stop_after)
