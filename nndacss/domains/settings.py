"""Settings of the patches of two sensors: section `[domains]`, and `[[domains.sources]]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nndacss import entries
from nndacss.settings import Settings

VERSION = 1


class Entry(entries.Entry):
    """One source."""

    kind: Literal["twin", "products"]
    """Simulated places, or a converted Landsat scene and a Proba-V product of its place and day."""


class DomainsSettings(Settings):
    """Which patches, and how large."""

    sources: tuple[Entry, ...] = ()
    """Tables `[[domains.sources]]`: `kind`, options of that kind (paths are relative to the current
    directory), and optionally `name`."""
    resolution: Literal["100M", "333M", "1KM"] = "333M"
    """Proba-V product: 1/1008, 1/336 or 1/112 degree a pixel."""
    side: int = Field(default=64, ge=16, le=512, multiple_of=16)
    """Rows and columns of a patch; the published 64."""
    stride: int = Field(default=32, ge=1)
    """Pixels from one patch to the next; the published 32."""

    @model_validator(mode="after")
    def _consistent(self) -> DomainsSettings:
        titles = [entry.title for entry in self.sources]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two sources are called {title!r}; give them a `name`")
        return self


SETTINGS = DomainsSettings
