"""Periods of whole days (UTC), as people write them; both ends belong to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from nndacss.errors import SettingsError
from nndacss.search.settings import days

_LAST = re.compile(r"([1-9]\d{0,4})d")


@dataclass(frozen=True)
class Period:
    """From one day to another, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}/{self.last}"


def period(text: str, today: date) -> Period:
    """The period that `text` means: what a search takes, or `Nd`, the last N days with `today`.

    SettingsError where it means none.

    >>> str(period("2026-W16", date(2026, 11, 21))), str(period("7d", date(2026, 11, 21)))
    ('2026-04-13/2026-04-19', '2026-11-15/2026-11-21')
    """
    if match := _LAST.fullmatch(text.strip()):
        return Period(today - timedelta(days=int(match[1]) - 1), today)
    try:
        return Period(*days(text))
    except ValueError as error:
        more = "; or write 7d for the last seven days"
        raise SettingsError(f"--{error}{more}") from error
