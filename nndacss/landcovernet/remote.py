"""What a server holds of LandCoverNet: its chips, their labels, their dates.

`S3Store` (in `s3`) asks the S3 API for listings, which state sizes and checksums. `WebStore` needs
nothing but files over HTTP: it follows the archive's STAC items, and learns sizes as files come.
Both find a continent's collections below any of the folders that publishers have put them in.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nndacss.errors import InputError, complain
from nndacss.landcovernet.names import images_collection, labels_collection
from nndacss.landcovernet.settings import LandCoverNetSettings
from nndacss.sums import Sum
from nndacss.web import Sign, Signed, Unsigned, opened, persist, shown

#: Where a continent's collections may lie below the source: on Source Cooperative, in the archive
#: that the publisher packed, side by side.
PLACES = (
    "landcovernet_{0}/ref_landcovernet_{0}_v1",
    "landcovernet_{0}",
    "ref_landcovernet_{0}_v1",
    "",
)
#: The chip at the end of an item's name.
CHIP = re.compile(r"_(\d{2}[A-Z]{3}_\d{2})$")


@dataclass(frozen=True)
class Remote:
    """One file of the archive on a server."""

    url: str
    sign: Sign
    size: int | None = None
    """Bytes, where the server lists them."""
    sum: Sum | None = None
    """Where the server lists one."""


class Store(ABC):
    """One server's archive."""

    @abstractmethod
    def chips(self, continent: str) -> tuple[str, ...]:
        """All chips of a continent that have a label, sorted; InputError where it has none."""

    @abstractmethod
    def label(self, continent: str, chip: str) -> Mapping[str, Remote]:
        """`labels.tif` and `stac.json` of a chip, those that are there."""

    @abstractmethod
    def images(
        self, continent: str, chip: str, bands: tuple[str, ...]
    ) -> Mapping[str, Mapping[str, Remote]]:
        """Date yyyymmdd -> band or layer -> file."""


def store(settings: LandCoverNetSettings) -> Store:
    """The store that the settings name."""
    if settings.source.startswith("s3://"):
        from nndacss.landcovernet.s3 import S3Store

        return S3Store(settings.source, settings.endpoint, settings.signed)
    return WebStore(settings.source)


class WebStore(Store):
    """Files over HTTP, found by the archive's STAC items."""

    def __init__(self, source: str) -> None:
        self._root = source.rstrip("/")
        self._found: dict[str, str] = {}

    def chips(self, continent: str) -> tuple[str, ...]:
        """Chips that the collection of labels links to."""
        collection = _json(f"{self._place(continent)}/collection.json")
        hrefs = (str(link.get("href", "")) for link in collection.get("links", ()))
        names = (href.rsplit("/", 2)[-2] for href in hrefs if href.endswith("/stac.json"))
        chips = tuple(sorted(match[1] for name in names if (match := CHIP.search(name))))
        if not chips:
            address = f"{self._place(continent)}/collection.json"
            remedy = "take the S3 API: landcovernet.source = s3://bucket/prefix"
            raise InputError(complain(shown(address), "no links to items", "some", remedy))
        return chips

    def label(self, continent: str, chip: str) -> Mapping[str, Remote]:
        """Both files; whether they are there is seen when they are fetched."""
        base = f"{self._place(continent)}/{labels_collection(continent)}_{chip}"
        return {name: _file(f"{base}/{name}") for name in ("labels.tif", "stac.json")}

    def images(
        self, continent: str, chip: str, bands: tuple[str, ...]
    ) -> Mapping[str, Mapping[str, Remote]]:
        """All bands of the dates that the label's item links to."""
        place = self._place(continent)
        item = _json(f"{place}/{labels_collection(continent)}_{chip}/stac.json")
        hrefs = (str(link.get("href", "")) for link in item.get("links", ()))
        collection = images_collection(continent)
        own = [href for href in hrefs if f"{collection}_{chip}_" in href]
        days = sorted({href.rsplit("/", 2)[-2][-8:] for href in own})
        base = f"{place.rpartition('/')[0]}/{collection}/{collection}_{chip}"
        return {day: {band: _file(f"{base}_{day}/{band}.tif") for band in bands} for day in days}

    def _place(self, continent: str) -> str:
        """The address of a continent's labels, found once."""
        if continent not in self._found:
            collection = labels_collection(continent)
            for place in PLACES:
                folder = place.format(continent)
                base = (
                    f"{self._root}/{folder}/{collection}"
                    if folder
                    else f"{self._root}/{collection}"
                )
                try:
                    _json(f"{base}/collection.json")
                except InputError:
                    continue
                self._found[continent] = base
                return base
            raise no_continent(self._root, continent)
        return self._found[continent]


def no_continent(where: str, continent: str) -> InputError:
    """The error for a source that has none of the known layouts."""
    found = f"no {labels_collection(continent)}"
    tried = ", ".join(place.format(continent) or "the folder itself" for place in PLACES)
    remedy = "correct landcovernet.source, or leave the continent out of landcovernet.continents"
    return InputError(complain(where, found, f"it below one of: {tried}", remedy))


def _file(url: str) -> Remote:
    return Remote(url, Unsigned(url))


def _json(url: str) -> Mapping[str, Any]:
    """A small document; InputError where there is none."""
    text = content(url, Unsigned(url))
    try:
        document: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise InputError(complain(shown(url), "no JSON", "a STAC item", "check it")) from error
    return document


def content(url: str, sign: Sign) -> bytes:
    """A small file; errors as `nndacss.web.persist` has them."""

    def attempt(signed: Signed) -> bytes:
        with opened(signed, {}) as answer:
            return answer.read()

    return persist(url, sign, attempt)
