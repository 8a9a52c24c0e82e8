"""Settings of the mask bank: section `[mask_bank]`, and one `[[mask_bank.sources]]` a source."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nndacss import entries
from nndacss.settings import Settings

VERSION = 1


class Entry(entries.Entry):
    """One source; its kind is `masks`, a folder of them, or a module of `nndacss.datasets`."""


class MaskBankSettings(Settings):
    """Where outlines come from, and which are kept."""

    sources: tuple[Entry, ...] = ()
    """Tables `[[mask_bank.sources]]`: `kind`, options of that kind (paths are relative to the
    current directory), and optionally `name`."""
    covered: tuple[float, float] = (0.002, 0.98)
    """Least and greatest covered share of a mask: nearly empty or full ones have no outline."""
    smallest: float = Field(default=0.01, ge=0)
    """Square kilometres that a mask covers at least; of a matched pair its cloud."""
    largest: float = Field(default=10_000.0, gt=0)
    """And at most."""
    pairs: bool = True
    """Whether clouds of labelled images are matched with their shadows."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        titles = [entry.title for entry in self.sources]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two sources are called {title!r}; give them a `name`")
        low, high = self.covered
        if not 0 < low < high <= 1:
            raise ValueError("covered must be two rising shares above 0, up to 1")
        if self.smallest > self.largest:
            raise ValueError("smallest must not be above largest")
        return self


SETTINGS = MaskBankSettings
