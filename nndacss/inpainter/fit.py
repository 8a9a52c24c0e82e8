"""One fit of an inpainting network: from a sample store and settings to checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from nndacss.inpainter.data import InpainterData
from nndacss.inpainter.module import InpainterLearner
from nndacss.inpainter.settings import InpainterSettings
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.watch import Report

InpainterFit = Fitted[InpainterLearner, InpainterData]
"""A finished fit of an inpainting network."""


def fit(
    store: Path,
    settings: InpainterSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> InpainterFit:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`."""
    device_for(settings)
    data = InpainterData(store, settings)
    learner = InpainterLearner(
        settings, data.store.roles, data.datasets, data.typical(), data.steps
    )
    return run_fit(learner, data, folder, report, settings.best_by, (), start, stop_after)
