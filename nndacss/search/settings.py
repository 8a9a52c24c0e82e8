"""Settings of a search: section `[search]`."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from nndacss.errors import complain
from nndacss.settings import Settings

VERSION = 1

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
_DATES = "2026-11-09, 2026-11, 2026-W46 or 2026-11-09/2026-11-15"


class SearchSettings(Settings):
    """What to look for, and where."""

    provider: Annotated[str, Field(min_length=1)] = "landsatlook"
    """A known archive (`landsatlook`, `earth-search`, `planetary-computer`, `cdse`) or the
    address of a STAC API."""
    sensor: Literal["landsat", "sentinel2"] = "landsat"
    level: Literal["L1", "L2"] = "L2"
    """Level 1 (top of atmosphere) or Level 2 (surface reflectance)."""
    collections: tuple[str, ...] = ()
    """Names in the API; empty: the provider's own for sensor and level."""
    l1_collection: str = ""
    """Where Landsat Level-1 scenes, which bring the pan band, are; empty: the provider's own."""
    area: str = ""
    """A GeoJSON file."""
    bbox: tuple[Longitude, Latitude, Longitude, Latitude] | None = None
    """West, south, east, north in degrees; west > east crosses the 180th meridian."""
    dates: str = ""
    """Days of acquisition in UTC, both ends included: a day, a month, an ISO week, or `a/b`."""
    cloud_cover: Annotated[float, Field(ge=0, le=100)] = 100.0
    """Most cloud in percent of the scene, as the item states it; items that state none count."""
    path_row: tuple[Annotated[str, Field(pattern=r"^\d{6}$")], ...] = ()
    """WRS-2 path and row, like `017051`."""
    tile: tuple[Annotated[str, Field(pattern=r"^\d{2}[A-Z]{3}$")], ...] = ()
    """MGRS tiles, like `29UNU`."""
    ids: tuple[str, ...] = ()
    """Product ids, or ids of items in the API."""

    @field_validator("dates")
    @classmethod
    def _dates_are_dates(cls, text: str) -> str:
        if text:
            days(text)
        return text


SETTINGS = SearchSettings


def days(text: str) -> tuple[date, date]:
    """First and last day of a time, both included; ValueError says what was expected.

    >>> [str(day) for day in (*days("2026-W46"), days("2024-02")[1], days("2026-11-09/2026-11")[1])]
    ['2026-11-09', '2026-11-15', '2024-02-29', '2026-11-30']
    """
    first, slash, last = (part.strip() for part in text.partition("/"))
    try:
        begin, end = _span(first)
        if slash:
            end = _span(last)[1]
    except ValueError as error:
        raise ValueError(complain("dates", repr(text), _DATES, "correct it")) from error
    if end < begin:
        remedy = "write the earlier one first"
        raise ValueError(complain("dates", repr(text), "days in their order", remedy))
    return begin, end


def _span(text: str) -> tuple[date, date]:
    if re.fullmatch(r"\d{4}-\d{2}", text):
        year, month = map(int, text.split("-"))
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    if re.fullmatch(r"\d{4}-W\d{2}", text):
        monday = date.fromisoformat(f"{text}-1")
        return monday, monday + timedelta(days=6)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    day = date.fromisoformat(text)
    return day, day
