"""The data of an inpainting network's fit: batches out of a sample store.

A batch is a dictionary: `pixels` (batch, bands, rows, columns) float32 reflectance, NaN missing;
`hole` (batch, rows, columns) bool, what is hidden of it; `group` (batch,) the data set's place
among `datasets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from nndacss.errors import DatasetError, SettingsError, complain
from nndacss.inpainter.hide import Mask, certain, hole, over, usual_hole, varied
from nndacss.inpainter.settings import InpainterSettings
from nndacss.models.inpainter_card import CODES
from nndacss.models.segmentation import MULTIPLE
from nndacss.raster import Pixels
from nndacss.samples.store import Record, SampleStore
from nndacss.train.batches import DrawnData, Item, Key
from nndacss.train.draws import monitored, seeded


class Varied(Dataset[Item]):
    """Windows over the structure, varied and hidden by the chance of their epoch and position."""

    def __init__(
        self, store: SampleStore, groups: Sequence[int], settings: InpainterSettings
    ) -> None:
        self._store, self._groups, self._settings = store, groups, settings

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        settings = self._settings
        rng = seeded(settings.seed, "hidden", epoch, position)
        pixels, sets = self._store.read(index)
        structure = certain(sets, CODES[settings.structure])
        place = over(structure, settings.crop, rng)
        seen, part = varied(pixels[:, *place], structure[place], settings.augment, rng)
        return _item(seen, hole(part, settings.hide, rng), self._groups[index])


class Plain(Dataset[Item]):
    """Whole samples by their place among `indices`, hidden without chance."""

    def __init__(
        self,
        store: SampleStore,
        groups: Sequence[int],
        settings: InpainterSettings,
        indices: Sequence[int],
    ) -> None:
        self._store, self._groups = store, groups
        self._settings, self._indices = settings, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        index = self._indices[place]
        pixels, sets = self._store.read(index)
        structure = certain(sets, CODES[self._settings.structure])
        return _item(pixels, usual_hole(structure, self._settings.hide), self._groups[index])


def _item(pixels: Pixels, hidden: Mask, group: int) -> Item:
    return {
        "pixels": torch.from_numpy(np.ascontiguousarray(pixels)),
        "hole": torch.from_numpy(hidden),
        "group": group,
    }


class InpainterData(DrawnData):
    """The samples of one store that show the structure: some to train on, some to watch by.

    SettingsError where store and settings do not fit each other, DatasetError where the store
    cannot be used or shows too little of the structure.
    """

    settings: InpainterSettings

    def __init__(self, path: Path, settings: InpainterSettings) -> None:
        self.store = SampleStore(path)
        _fits(path, self.store, settings)
        records = self.store.records
        self.datasets = tuple(sorted({record.dataset for record in records}))
        self.groups = [self.datasets.index(record.dataset) for record in records]
        least = settings.hide.least * self.store.header.side**2
        code = CODES[settings.structure]
        shown = [i for i, record in enumerate(records) if record.class_counts[code] >= least]
        self.skipped = len(records) - len(shown)
        """Samples with too little of the structure."""
        watched = _watched([records[i] for i in shown], settings)
        parts: dict[bool, list[int]] = {False: [], True: []}
        for index in shown:
            parts[records[index].scene in watched].append(index)
        self.train = tuple(parts[False])
        """Samples to train on."""
        if len(self.train) < settings.batch:
            found = f"{len(self.train)} samples to train on that show {settings.structure}"
            expected = f"at least one batch of {settings.batch}"
            remedy = "make more samples, or lower inpainter.batch or inpainter.hide.least"
            raise DatasetError(complain(path, found, expected, remedy))
        members: dict[str, list[int]] = {}
        for index in self.train:
            members.setdefault(records[index].dataset, []).append(index)
        super().__init__(settings, members, {"monitor": tuple(parts[True])})

    def varied(self) -> Dataset[Item]:
        """Varied windows."""
        return Varied(self.store, self.groups, self.settings)

    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """Whole samples."""
        return Plain(self.store, self.groups, self.settings, indices)

    def typical(self) -> tuple[float, ...]:
        """Per band, the mean reflectance of the structure over the training samples.

        What is worth nothing as a painting, and what a network must beat.
        """
        total, count = (np.zeros(len(self.store.roles)) for _ in range(2))
        for index in self.train:
            pixels, sets = self.store.read(index)
            values = pixels[:, certain(sets, CODES[self.settings.structure])]
            total += np.nansum(values, axis=1, dtype=np.float64)
            count += np.count_nonzero(~np.isnan(values), axis=1)
        return tuple(float(value) for value in total / np.maximum(count, 1))


def _watched(records: Sequence[Record], settings: InpainterSettings) -> frozenset[str]:
    """Scenes that are kept out, of each data set."""
    result: frozenset[str] = frozenset()
    for name in {record.dataset for record in records}:
        scenes = {record.scene for record in records if record.dataset == name}
        result |= monitored(scenes, settings.monitor, settings.split_seed)
    return result


def _fits(path: Path, store: SampleStore, settings: InpainterSettings) -> None:
    """SettingsError unless a fit with these settings can use the store."""
    if store.scheme != "climate":
        found = f"labels of scheme {store.scheme}"
        remedy = "make samples of a data set with clouds, shadows or snow"
        raise SettingsError(complain(path, found, "climate", remedy))
    side = store.header.side
    if settings.crop > side or side % MULTIPLE:
        found = f"samples of side {side}"
        expected = f"a multiple of {MULTIPLE} and at least inpainter.crop = {settings.crop}"
        remedy = "lower inpainter.crop or set samples.side"
        raise SettingsError(complain(path, found, expected, remedy))
    known = set(settings.scaling.offset) & set(settings.scaling.spread)
    if unknown := sorted(set(store.roles) - known):
        found = f"band {unknown[0]} without scaling"
        remedy = "add it to inpainter.scaling, offset and spread"
        raise SettingsError(complain(path, found, f"bands {', '.join(sorted(known))}", remedy))
    there = {record.dataset for record in store.records}
    if lost := sorted(set(settings.share) - there):
        found = f"no data set {lost[0]!r}"
        expected = f"data sets among {', '.join(sorted(there)) or 'none'}"
        raise SettingsError(complain(path, found, expected, "correct inpainter.share"))
