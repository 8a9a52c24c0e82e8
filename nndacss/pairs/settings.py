"""Settings of the pairs: section `[pairs]`, and one `[[pairs.sources]]` a source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nndacss import entries
from nndacss.settings import Settings

VERSION = 1


class Entry(entries.Entry):
    """One source."""

    kind: Literal["twin", "degraded", "same_day"]
    """Simulated, real Sentinel-2 degraded to Landsat's view, or two real products of one day."""


class PairsSettings(Settings):
    """Which pairs, and how large."""

    sources: tuple[Entry, ...] = ()
    """Tables `[[pairs.sources]]`: `kind`, options of that kind (paths are relative to the current
    directory), and optionally `name`."""
    side: int = Field(default=120, ge=24, le=1024, multiple_of=12)
    """Rows and columns of a pair, pixels of 10 m: whole pixels of 20, 30 and 60 m."""

    @model_validator(mode="after")
    def _consistent(self) -> PairsSettings:
        titles = [entry.title for entry in self.sources]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two sources are called {title!r}; give them a `name`")
        return self


SETTINGS = PairsSettings
