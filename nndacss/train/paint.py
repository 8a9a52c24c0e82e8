"""Painting as a step of training: which bank, which samples, with which chance.

Light but for `Painting`: planning runs in the scheduler's process, which opens no HDF5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nndacss.errors import SettingsError, complain
from nndacss.inpaint.plan import checked_sum, with_bank_file, with_weights
from nndacss.inpaint.plan import located as placed
from nndacss.train.draws import seeded
from nndacss.train.settings import TrainSettings

if TYPE_CHECKING:
    from numpy.random import Generator

    from nndacss.labels.sets import Sets
    from nndacss.raster import Pixels
    from nndacss.samples.store import Record, SampleStore

    Drawn = tuple[Pixels, Sets, Record, int, int]
    """A sample as the store holds it, its record, epoch and place in the epoch."""


def with_bank(settings: TrainSettings) -> tuple[TrainSettings, dict[str, str]]:
    """The settings with the sums of bank and weights, and where they lie, for an order's location.

    Without painting nothing of it is in a recipe. SettingsError where no bank is named,
    DatasetError where it is not there or another than the settings demand; WeightsError where a
    network that paints is not there, or not for these bands.
    """
    paint = settings.paint
    if not paint.chance:
        return settings.model_copy(update={"paint": type(paint)()}), {}
    if not paint.bank:
        found = f"chance = {paint.chance:g} without a bank"
        remedy = "build one with python -m nndacss.inpaint.bank, or set chance = 0"
        raise SettingsError(complain("train.paint", found, "bank = a file", remedy))
    known, place = with_bank_file(paint, "train.paint")
    # bands are checked when the samples are open: these settings do not say which they are
    known, weights = with_weights(known, ())
    return settings.model_copy(update={"paint": known}), {**place, **weights}


def located(settings: TrainSettings, location: Mapping[str, str]) -> TrainSettings:
    """The settings of a recipe with the places of bank and weights on this machine."""
    paint = placed(settings.paint, location)
    return settings.model_copy(update={"paint": paint})


class Painting:
    """Paints the samples of one store, each by the chance that belongs to its epoch and place."""

    def __init__(self, store: SampleStore, settings: TrainSettings) -> None:
        """DatasetError for a bank that cannot be used, SettingsError where it fits no sample."""
        from nndacss.inpaint.bank import MaskBank
        from nndacss.inpaint.networks import open_networks
        from nndacss.inpaint.painter import Painter

        self._settings = settings
        self._roles = store.roles
        paint = settings.paint
        if store.scheme != "climate":
            found = f"samples with labels of scheme {store.scheme}"
            raise SettingsError(complain("train.paint", found, "climate", "set chance = 0"))
        there = {record.dataset for record in store.records}
        if unknown := sorted(set(paint.datasets) - there):
            expected = f"data sets among {', '.join(sorted(there))}"
            remedy = "correct train.paint.datasets"
            found = f"no data set {unknown[0]!r}"
            raise SettingsError(complain("sample store", found, expected, remedy))
        checked_sum(Path(paint.bank), paint.bank_sha256)
        bank = MaskBank(paint.bank)
        bank.check(paint.structures, paint.pair_chance > 0)
        # loader processes paint on the processor; without any, the fit's own process may use a card
        device: Literal["auto", "cpu", "cuda"] = "cpu" if settings.workers else settings.device
        self._painter: Any = Painter(bank, paint, open_networks(paint, store.roles, device))

    def __call__(
        self, pixels: Pixels, sets: Sets, record: Record, epoch: int, position: int
    ) -> tuple[Pixels, Sets]:
        """The sample painted, or as it is; it is never modified."""
        return self.many([(pixels, sets, record, epoch, position)])[0]

    def many(self, drawn: Sequence[Drawn]) -> list[tuple[Pixels, Sets]]:
        """Several samples, each as it would be alone; networks paint them in one batch."""
        from nndacss.inpaint.painter import Patch

        result = [(pixels, sets) for pixels, sets, *_ in drawn]
        chances = [self._chance(record, epoch, place) for _, _, record, epoch, place in drawn]
        chosen = {place: rng for place, rng in enumerate(chances) if rng is not None}
        patches = [
            Patch(*result[place], self._roles, record.metres, record.sun, record.level)
            for place, record in ((place, drawn[place][2]) for place in chosen)
        ]
        painted = self._painter.paint_batch(patches, list(chosen.values()))
        for place, done in zip(chosen, painted, strict=True):
            result[place] = done.pixels, done.sets
        return result

    def _chance(self, record: Record, epoch: int, position: int) -> Generator | None:
        """What a sample is painted by; None where it is not."""
        paint = self._settings.paint
        if paint.datasets and record.dataset not in paint.datasets:
            return None
        # a stream of its own: what else is drawn for the sample does not depend on painting
        rng = seeded(self._settings.seed, "paint", epoch, position)
        return rng if rng.random() < paint.chance else None
