"""How much an acquisition would be, from listings of a few chips; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nndacss.errors import DatasetError, complain
from nndacss.estimate import free_mb
from nndacss.landcovernet.names import CLD, SCL, quarter
from nndacss.landcovernet.remote import Remote, Store
from nndacss.landcovernet.settings import LandCoverNetSettings
from nndacss.web import remote_size

#: Chips of each continent whose files are listed.
_SAMPLE = 4


@dataclass(frozen=True)
class Estimate:
    """What would be fetched; bytes are extrapolated from `listed` chips."""

    chips: int
    listed: int
    dates: float
    """Dates that would be taken, at most."""
    images: float
    """Bytes of their bands and layers, at most."""
    looks: float
    """Bytes of cloud layers of dates that may turn out cloudy, at most."""
    whole: float
    """Bytes of the same bands on all dates, for comparison."""
    free: float
    """Bytes free where the archive goes."""

    def __str__(self) -> str:
        return (
            f"{self.chips} chips, at most {self.dates:.0f} dates: at most "
            f"{in_words(self.images)} of images and {in_words(self.looks)} of cloud layers "
            f"(all dates would be {in_words(self.whole)}); "
            f"{in_words(self.free)} free; from the listings of {self.listed} chips"
        )


def in_words(size: float) -> str:
    """Bytes as GB, or as MB where that is less than one.

    >>> in_words(2.345e9), in_words(12_345_678)
    ('2.35 GB', '12.3 MB')
    """
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def estimate(
    store: Store, settings: LandCoverNetSettings, chips: Mapping[str, tuple[str, ...]]
) -> Estimate:
    """From the files of some chips of each continent; `chips` as `plan.chosen_chips` has them."""
    count, listed, totals = 0, 0, [0.0, 0.0, 0.0, 0.0]
    for continent, names in chips.items():
        some = [_Sizes(store, settings, continent, chip) for chip in spread(names, _SAMPLE)]
        count, listed = count + len(names), listed + len(some)
        for n, part in enumerate(("dates", "images", "looks", "whole")):
            totals[n] += len(names) * sum(getattr(one, part) for one in some) / max(len(some), 1)
    free = 1e6 * free_mb(Path(settings.folder).resolve())
    dates, images, looks, whole = totals
    return Estimate(count, listed, dates, images, looks, whole, free)


def spread(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """At most `count` names, evenly spread.

    >>> spread(("a", "b", "c", "d", "e"), 2)
    ('a', 'd')
    """
    if len(names) <= count:
        return names
    return tuple(names[round(n * len(names) / count + 0.001)] for n in range(count))


class _Sizes:
    """Dates and bytes of one chip."""

    def __init__(
        self, store: Store, settings: LandCoverNetSettings, continent: str, chip: str
    ) -> None:
        days = store.images(continent, chip, (*settings.bands, SCL, CLD))
        if not days:
            raise DatasetError(complain(chip, "no images", "some dates", "leave its tile out"))
        asked: dict[str, int] = {}
        sizes = {day: _bytes(files, asked) for day, files in days.items()}
        layers = {day: _bytes(_only(files, settings.cloud), asked) for day, files in days.items()}
        per_quarter = [sum(quarter(day) == n for day in days) for n in range(1, 5)]
        self.dates = sum(min(count, settings.dates) for count in per_quarter)
        self.whole = sum(sizes.values())
        self.images = self.dates * self.whole / len(days)
        self.looks = sum(layers.values()) * (len(days) - self.dates) / len(days)


def _only(files: Mapping[str, Remote], band: str) -> Mapping[str, Remote]:
    return {band: files[band]} if band in files else {}


def _bytes(files: Mapping[str, Remote], asked: dict[str, int]) -> int:
    """Bytes of some files; where no listing states them, a band's size is asked for once."""
    total = 0
    for band, remote in files.items():
        if remote.size is None and band not in asked:
            asked[band] = remote_size(remote.url, remote.sign)
        total += asked[band] if remote.size is None else remote.size
    return total
