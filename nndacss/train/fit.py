"""One fit of a segmentation network: from a sample store and settings to checkpoints.

With `train.transfer` a fit has two phases, each a fit of its own with its own checkpoints: first
the encoder is frozen (in the folder `frozen`), then all layers learn. Each is resumed exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from nndacss.errors import SettingsError, complain
from nndacss.models import darkness, haze, margin, parallax
from nndacss.plugins import load
from nndacss.train.data import SampleData
from nndacss.train.encoder import take_over
from nndacss.train.find_rate import found_rate
from nndacss.train.fitting import Fitted, device_for, run_fit
from nndacss.train.losses import set_weights
from nndacss.train.module import Frame, Segmenter
from nndacss.train.pictures import Pictures
from nndacss.train.settings import TrainSettings
from nndacss.train.watch import Report

MaskFit = Fitted[Segmenter, SampleData]
"""A finished fit of a segmentation network."""

#: Folder of the first phase, and the file of a rate that was found.
FROZEN, RATE = "frozen", "rate.json"


@dataclass(frozen=True)
class Phase:
    """Epochs with the same layers learning."""

    folder: Path
    settings: TrainSettings
    """Of the phase alone."""
    frozen: bool
    before: int
    """Epochs of the phases before it."""


def fit(
    store: Path,
    settings: TrainSettings,
    folder: Path,
    report: Report,
    start: Mapping[str, Tensor] | None = None,
    stop_after: int | None = None,
    encoder: Mapping[str, Tensor] | None = None,
) -> MaskFit:
    """Fit in `folder`, going on where it was interrupted, see `run_fit`.

    `encoder` holds weights that its encoder begins with, see `nndacss.train.encoder`.
    """
    device = device_for(settings)
    fitted: MaskFit | None = None
    adapted = False
    for phase in phases(settings, folder):
        if stop_after is not None and stop_after <= phase.before:
            break
        learner, data = begun(store, phase.settings)
        if fitted is not None:
            start = fitted.learner.network.state_dict()
        elif encoder is not None:
            adapted = take_over(learner.encoder, encoder, data.roles, "train.transfer.encoder")
            start = learner.network.state_dict()
        learner.prepare(phase.frozen, adapted)
        if start is not None:
            learner.start_from(start)
        if settings.transfer and settings.transfer.find_rate:
            rate = found_rate(learner, data, phase.folder / RATE, phase.settings.rate, device)
            learner.rate = rate
        left = None if stop_after is None else min(phase.settings.epochs, stop_after - phase.before)
        mine = _Part(report, phase, settings.epochs)
        watching = [Pictures(load("labels", data.store.scheme), max(1, settings.epochs // 5))]
        now = run_fit(learner, data, phase.folder, mine, settings.best_by, watching, start, left)
        fitted = _joined(fitted, now)
    if fitted is None:
        raise ValueError(f"stop_after is {stop_after}; expected at least one epoch")
    return fitted


def begun(store: Path, settings: TrainSettings) -> tuple[Segmenter, SampleData]:
    """A network that has learned nothing, and what it is to learn from."""
    data = SampleData(store, settings)
    scheme = load("labels", data.store.scheme)
    balance = settings.loss
    weights = set_weights(data.set_pixels(), balance.balance, balance.balance_limit)
    lean = _lean(settings, scheme.classes)
    if settings.darkness is not None:
        darkness.check(settings.darkness, data.roles, scheme.classes)
    if settings.parallax is not None:
        parallax.check(data.roles, scheme.classes)
    if settings.haze is not None:
        haze.check(data.roles, scheme.classes)
    if settings.margin:
        margin.check(scheme.classes)
    parts = tuple(data.parts)
    frame = Frame(data.roles, scheme.classes, data.datasets, parts, data.steps, weights, lean)
    return Segmenter(settings, frame), data


def _lean(settings: TrainSettings, classes: tuple[str, ...]) -> tuple[float, ...]:
    """One number a class; SettingsError for a class that the labels do not know."""
    if unknown := sorted(set(settings.lean) - set(classes)):
        found, expected = f"no class {unknown[0]!r}", f"classes among {', '.join(classes)}"
        raise SettingsError(complain("train.lean", found, expected, "correct it"))
    return tuple(settings.lean.get(word, 0.0) for word in classes)


def phases(settings: TrainSettings, folder: Path) -> list[Phase]:
    """One, or two where an encoder is frozen first."""
    transfer = settings.transfer
    if transfer is None or not (transfer.encoder and transfer.frozen_epochs):
        return [Phase(folder, settings, frozen=False, before=0)]
    count = transfer.frozen_epochs
    # the last weights of the first phase go on: which epoch is best is for the second to say
    first = {"epochs": count, "rate": transfer.frozen_rate, "keep": "last"}
    rest = {"epochs": settings.epochs - count}
    return [
        Phase(folder / FROZEN, _with(settings, first), frozen=True, before=0),
        Phase(folder, _with(settings, rest), frozen=False, before=count),
    ]


def _with(settings: TrainSettings, changes: Mapping[str, object]) -> TrainSettings:
    return settings.model_copy(update=dict(changes))


def _joined(before: MaskFit | None, now: MaskFit) -> MaskFit:
    """The history of all phases, epochs counted through."""
    if before is None:
        return now
    count = len(before.history)
    later = [{**entry, "epoch": entry["epoch"] + count} for entry in now.history]
    return replace(now, history=[*before.history, *later], epoch=now.epoch + count)


@dataclass(frozen=True)
class _Part:
    """Progress of a phase as progress of the fit."""

    report: Report
    phase: Phase
    epochs: int

    def __call__(self, fraction: float, message: str) -> None:
        own = self.phase.settings.epochs
        done = (self.phase.before + fraction * own) / self.epochs
        said = f"encoder frozen, {message}" if self.phase.frozen else message
        self.report(done if own != self.epochs else fraction, said)
