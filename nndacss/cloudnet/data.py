"""The data of a cloud network's fit: batches out of a file of patches.

A batch is a dictionary: `pixels` (batch, 4, side, side) float32 reflectance, `cloud` (batch, side,
side) float32 share of cloud, NaN unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from nndacss.cloudnet.settings import CloudNetSettings
from nndacss.domains.store import CLOUDS, DomainStore
from nndacss.errors import SettingsError, complain
from nndacss.raster import Pixels
from nndacss.train.augment import turn
from nndacss.train.batches import DrawnData, Item, Key
from nndacss.train.draws import monitored, seeded


class Turned(Dataset[Item]):
    """Training patches, each turned or mirrored by the chance of its epoch and position."""

    def __init__(self, store: DomainStore, domain: str, seed: int) -> None:
        self._store, self._domain, self._seed = store, domain, seed

    def __getitem__(self, key: Key) -> Item:
        epoch, position, index = key
        which = int(seeded(self._seed, "turn", epoch, position).integers(8))
        pixels, cloud = read(self._store, self._domain, index)
        return _item(turn(pixels, which), turn(cloud, which))


class Plain(Dataset[Item]):
    """Patches as they are."""

    def __init__(self, store: DomainStore, domain: str, indices: Sequence[int]) -> None:
        self._store, self._domain, self._indices = store, domain, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> Item:
        return _item(*read(self._store, self._domain, self._indices[place]))


def read(store: DomainStore, domain: str, index: int) -> tuple[Pixels, Pixels]:
    """Image (4, side, side) and its clouds (side, side) of one patch, as one sensor saw it."""
    arrays = store.read(index)
    return np.moveaxis(arrays[domain], -1, 0), arrays[CLOUDS[domain]]


def _item(pixels: Pixels, cloud: Pixels) -> Item:
    return {
        "pixels": torch.from_numpy(np.ascontiguousarray(pixels)),
        "cloud": torch.from_numpy(np.ascontiguousarray(cloud)),
    }


class CloudData(DrawnData):
    """Training and monitoring patches of one file; SettingsError where none can be trained on."""

    settings: CloudNetSettings

    def __init__(self, path: Path, settings: CloudNetSettings) -> None:
        self.store = DomainStore(path)
        usable = [index for index in range(len(self.store)) if self._usable(index, settings.domain)]
        records = self.store.records
        scenes: dict[str, set[str]] = {}
        for index in usable:
            scenes.setdefault(records[index].dataset, set()).add(records[index].scene)
        self.watched = frozenset(
            scene
            for some in scenes.values()
            for scene in monitored(some, settings.monitor, settings.split_seed)
        )
        members: dict[str, list[int]] = {}
        for index in usable:
            if records[index].scene not in self.watched:
                members.setdefault(records[index].dataset, []).append(index)
        self.train = tuple(index for some in members.values() for index in some)
        if len(self.train) < settings.batch:
            found = f"{len(self.train)} patches of {settings.domain} with clouds to train on"
            expected = f"at least one batch of {settings.batch}"
            remedy = "make more patches, or choose another cloudnet.domain"
            raise SettingsError(complain(path, found, expected, remedy))
        watching = tuple(index for index in usable if records[index].scene in self.watched)
        if settings.keep == "best" and not watching:
            found, remedy = 'keep = "best" without monitoring scenes', "set cloudnet.monitor"
            raise SettingsError(complain("[cloudnet]", found, "scenes to choose by", remedy))
        super().__init__(settings, members, {"monitor": watching})

    def _usable(self, index: int, domain: str) -> bool:
        """Whether a patch has that image, and clouds for some of it."""
        pixels, cloud = read(self.store, domain, index)
        return bool(np.isfinite(pixels).all() and np.isfinite(cloud).any())

    def varied(self) -> Dataset[Item]:
        """Turned patches."""
        return Turned(self.store, self.settings.domain, self.settings.seed)

    def plain(self, indices: Sequence[int]) -> Dataset[Item]:
        """Whole patches."""
        return Plain(self.store, self.settings.domain, indices)
