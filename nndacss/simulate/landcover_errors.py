"""Errors planted in a stand-in archive, and a list of them: what cleaning must find.

    planted = plant(folder, seed=0)

Each kind is planted in chips or dates of its own, a few of each. `planted.csv` in the archive's
folder names them. The archive must be in the STAC layout.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.datasets.landcovernet_files import Archive, scan
from nndacss.errors import SettingsError, complain
from nndacss.identity import drafted
from nndacss.landcovernet.names import BANDS

#: File that names what was planted.
PLANTED = "planted.csv"
#: Least share of the chip that must change class for a wrong label to be one.
_CHANGED = 0.6


@dataclass(frozen=True)
class Planted:
    """One error."""

    name: str
    """The sample or chip."""
    kind: str


Change = Callable[[NDArray[Any]], NDArray[Any]]


def plant(folder: Path, seed: int = 0, each: int = 2) -> list[Planted]:
    """Plant `each` errors of every kind, and write their list.

    SettingsError where the archive has too few chips.
    """
    archive = scan(folder)
    draw = np.random.default_rng([seed, 0xE7])
    chips = [str(chip) for chip in draw.permutation(sorted(archive.labels))]
    kinds: dict[str, Callable[[str, Archive], str]] = {
        "wrong label": _wrong_label,
        "shuffled classes": _shuffled,
        "low consensus": _low_consensus,
        "half labelled": _half_labelled,
        "unknown class": _unknown_class,
        "copied chip": _copied,
        "missing band": _missing_band,
        "truncated band": _truncated_band,
        "wrong size": _wrong_size,
        "wrong units": _wrong_units,
        "no label": _no_label,
        "no image": _no_image,
    }
    if len(chips) < 2 * each * len(kinds):
        found, expected = f"{len(chips)} chips", f"at least {2 * each * len(kinds)}"
        raise SettingsError(complain(folder, found, expected, "paint more, or plant fewer"))
    planted = []
    for kind, do in kinds.items():
        left = each
        while left and chips:
            name = do(chips.pop(), archive)
            if name:  # not every chip can bear every error
                planted.append(Planted(name, kind))
                left -= 1
    _write(folder / PLANTED, planted)
    return planted


def _write(path: Path, planted: Sequence[Planted]) -> None:
    with drafted(path) as draft, draft.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "kind"])
        writer.writerows((one.name, one.kind) for one in planted)


def _dates(chip: str, archive: Archive) -> list[str]:
    return [name for name, image in archive.images.items() if image.chip == chip]


def _wrong_label(chip: str, archive: Archive) -> str:
    """The label of the chip that differs most."""
    own = _codes(archive.labels[chip])
    shares = {
        other: float((_codes(path) != own).mean())
        for other, path in archive.labels.items()
        if other != chip and path.exists()
    }
    best = max(sorted(shares), key=lambda other: shares[other])
    if shares[best] < _CHANGED:
        return ""
    codes = _codes(archive.labels[best])

    def swapped(bands: NDArray[Any]) -> NDArray[Any]:
        bands[0], bands[1] = codes, 95
        return bands

    _change(archive.labels[chip], swapped)
    return chip


def _shuffled(chip: str, archive: Archive) -> str:
    """Codes counted in another order, as of another program: seven classes from the other end."""
    own = _codes(archive.labels[chip])
    if float(np.isin(own, (0, 4)).mean()) > 1 - _CHANGED:
        return ""

    def turned(bands: NDArray[Any]) -> NDArray[Any]:
        codes = np.where(bands[0] > 0, 8 - bands[0].astype(np.int64), 0)
        return np.stack([codes, bands[1]]).astype(bands.dtype)

    _change(archive.labels[chip], turned)
    return chip


def _low_consensus(chip: str, archive: Archive) -> str:
    _change(archive.labels[chip], lambda bands: np.stack([bands[0], np.full_like(bands[1], 41)]))
    return chip


def _half_labelled(chip: str, archive: Archive) -> str:
    def halved(bands: NDArray[Any]) -> NDArray[Any]:
        bands[:, : bands.shape[1] // 2] = 0
        return bands

    _change(archive.labels[chip], halved)
    return chip


def _unknown_class(chip: str, archive: Archive) -> str:
    def strange(bands: NDArray[Any]) -> NDArray[Any]:
        bands[0, :9, :9] = 12
        return bands

    _change(archive.labels[chip], strange)
    return chip


def _copied(chip: str, archive: Archive) -> str:
    """The chip once more under another number, with other noise."""
    tile, _ = chip.split("_")
    copy = next(
        f"{tile}_{number:02d}"
        for number in range(1, 99)
        if f"{tile}_{number:02d}" not in archive.labels
    )
    draw = np.random.default_rng(7)
    for place in [archive.labels[chip].parent, *_folders(chip, archive)]:
        target = place.with_name(place.name.replace(chip, copy))
        shutil.copytree(place, target)
        for band in BANDS:
            if (path := target / f"{band}.tif").exists():
                _change(path, lambda bands: _noisy(bands, draw))
    return copy


def _noisy(bands: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
    noise = draw.normal(0, 25, bands.shape)
    return np.where(bands == 0, 0, np.clip(bands + noise, 1, 65534)).astype(bands.dtype)


def _missing_band(chip: str, archive: Archive) -> str:
    name = _dates(chip, archive)[0]
    archive.images[name].files["B08"].unlink()
    return name


def _truncated_band(chip: str, archive: Archive) -> str:
    name = _dates(chip, archive)[0]
    path = archive.images[name].files["B04"]
    os.truncate(path, path.stat().st_size // 2)
    return name


def _wrong_size(chip: str, archive: Archive) -> str:
    name = _dates(chip, archive)[0]
    _change(archive.images[name].files["B03"], lambda bands: bands[:, :-16])
    return name


def _wrong_units(chip: str, archive: Archive) -> str:
    """Reflectance in percent instead of 1/10000."""
    name = _dates(chip, archive)[0]
    for band in BANDS:
        path = archive.images[name].files[band]
        _change(path, lambda bands: np.where(bands == 0, 0, bands // 100 + 1).astype(bands.dtype))
    return name


def _no_label(chip: str, archive: Archive) -> str:
    shutil.rmtree(archive.labels[chip].parent)
    return chip


def _no_image(chip: str, archive: Archive) -> str:
    for place in _folders(chip, archive):
        shutil.rmtree(place)
    return chip


def _folders(chip: str, archive: Archive) -> list[Path]:
    images: Mapping[str, Any] = archive.images
    return [next(iter(images[name].files.values())).parent for name in _dates(chip, archive)]


def _codes(path: Path) -> NDArray[Any]:
    import rasterio

    with rasterio.open(path) as raster:
        codes: NDArray[Any] = raster.read(1)
    return codes


def _change(path: Path, change: Change) -> None:
    """Write a raster anew with other values, and what else it says as before."""
    import rasterio

    with rasterio.open(path) as raster:
        values, profile = change(raster.read()), raster.profile
    profile.update(height=values.shape[1], width=values.shape[2], count=values.shape[0])
    for key in ("blockysize", "blockxsize", "tiled"):
        profile.pop(key, None)
    with drafted(path) as draft, rasterio.open(draft, "w", **profile) as raster:
        raster.write(values)
