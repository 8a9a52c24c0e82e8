"""One fit of a harmonizer: from a pair store and settings to a calibrated network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nndacss.harmonizer.data import PairData
from nndacss.harmonizer.measure import Totals, calibration, snow_factor
from nndacss.harmonizer.module import HarmonizerLearner
from nndacss.harmonizer.pictures import Pictures
from nndacss.harmonizer.settings import HarmonizerSettings
from nndacss.sensors import REFLECTIVE
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.watch import Report

#: Rounds of calibration: the first is exact but for sigmas at their bounds.
_ROUNDS = 2
#: Snow pixels in the monitoring pairs from which on their errors say something.
LEAST_SNOW = 1000


HarmonizerFit = Fitted[HarmonizerLearner, PairData]
"""A finished fit of a harmonizer."""


@dataclass(frozen=True)
class Calibrated:
    """What the monitoring pairs say of the weights as they are exported."""

    totals: Totals
    factor: tuple[float, ...]
    """By which each band's standard deviation was multiplied; empty where none is stated."""
    snow: float
    """Factor on the standard deviation over snow."""
    snow_pixels: int
    """Of all bands together."""


def fit(
    store: Path,
    settings: HarmonizerSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
) -> HarmonizerFit:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`."""
    device_for(settings)
    data = PairData(store, settings)
    learner = HarmonizerLearner(settings, data.steps)
    watching = [Pictures(every=max(1, settings.epochs // 5))]
    return run_fit(learner, data, folder, report, settings.best_by, watching, start, stop_after)


def calibrate(fitted: HarmonizerFit) -> Calibrated | None:
    """Scale the standard deviations so that errors on the monitoring pairs have them, and measure.

    Changes the network in place. None where no scene was kept out.
    """
    learner, data = fitted.learner, fitted.data
    if not data.parts:
        return None
    learner.to(device_for(data.settings))
    (loader,) = data.val_dataloader()
    moved = torch.zeros(len(REFLECTIVE))
    stated = data.settings.family == "detail"
    for _ in range(_ROUNDS if stated else 0):
        amount = calibration(learner.measure(loader))
        learner.add_calibration(amount)
        moved += amount
    totals = learner.measure(loader)
    factor = moved.exp().tolist() if stated else ()
    pixels = int(totals.of("snow_pixels").sum())
    return Calibrated(totals, tuple(factor), snow_factor(totals, LEAST_SNOW), pixels)
