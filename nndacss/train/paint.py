"""Painting as a step of training: which bank, which samples, with which chance.

Light but for `Painting`: planning runs in the scheduler's process, which opens no HDF5.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nndacss.datasets.files import sums
from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.train.draws import seeded
from nndacss.train.settings import TrainSettings

if TYPE_CHECKING:
    from nndacss.labels.sets import Sets
    from nndacss.raster import Pixels
    from nndacss.samples.store import Record, SampleStore

#: What an order calls the place of the bank.
BANK = "bank"


def with_bank(settings: TrainSettings) -> tuple[TrainSettings, dict[str, str]]:
    """The settings with the sum of their bank, and where it lies, for an order's location.

    Without painting nothing of it is in a recipe. SettingsError where no bank is named,
    DatasetError where it is not there or another than the settings demand.
    """
    paint = settings.paint
    if not paint.chance:
        return settings.model_copy(update={"paint": type(paint)()}), {}
    if not paint.bank:
        found = f"chance = {paint.chance:g} without a bank"
        remedy = "build one with python -m nndacss.inpaint.bank, or set chance = 0"
        raise SettingsError(complain("train.paint", found, "bank = a file", remedy))
    path = Path(paint.bank).resolve()
    known = paint.model_copy(update={"bank_sha256": checked_sum(path, paint.bank_sha256)})
    return settings.model_copy(update={"paint": known}), {BANK: str(path)}


def located(settings: TrainSettings, location: Mapping[str, str]) -> TrainSettings:
    """The settings of a recipe with the bank's place on this machine."""
    paint = settings.paint.model_copy(update={"bank": location.get(BANK, "")})
    return settings.model_copy(update={"paint": paint})


def checked_sum(path: Path, wanted: str) -> str:
    """sha256 of a bank; DatasetError where it is missing, or another than `wanted`, if any."""
    if not path.is_file():
        remedy = "correct train.paint.bank, or build it with python -m nndacss.inpaint.bank"
        raise DatasetError(complain(path, "no such file", "a mask bank", remedy))
    found = sums([path])[path.name]
    if wanted and found != wanted:
        expected = f"sha256 {wanted[:12]}..., as settings or recipe say"
        remedy = "give that bank, or plan the fit again"
        raise DatasetError(complain(path, f"{found[:12]}...", expected, remedy))
    return found


class Painting:
    """Paints the samples of one store, each by the chance that belongs to its epoch and place."""

    def __init__(self, store: SampleStore, settings: TrainSettings) -> None:
        """DatasetError for a bank that cannot be used, SettingsError where it fits no sample."""
        from nndacss.inpaint.bank import MaskBank
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
        bank.members("cloud")
        if paint.snow_chance:
            bank.members("snow")
        self._painter: Any = Painter(bank, paint)

    def __call__(
        self, pixels: Pixels, sets: Sets, record: Record, epoch: int, position: int
    ) -> tuple[Pixels, Sets]:
        """The sample painted, or as it is; it is never modified."""
        paint = self._settings.paint
        if paint.datasets and record.dataset not in paint.datasets:
            return pixels, sets
        # a stream of its own: what else is drawn for the sample does not depend on painting
        rng = seeded(self._settings.seed, "paint", epoch, position)
        if rng.random() >= paint.chance:
            return pixels, sets
        painted: tuple[Pixels, Sets] = self._painter.paint(
            pixels, sets, self._roles, record.metres, record.sun, rng, record.level
        )
        return painted
