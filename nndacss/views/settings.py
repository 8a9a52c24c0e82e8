"""Settings of the views: section `[views]`, and one `[[views.sources]]` a source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nndacss import entries
from nndacss.harmonize.settings import DEFAULT_WEIGHTS
from nndacss.settings import Settings

VERSION = 1


class Entry(entries.Entry):
    """One source: `twin`, or a module of `nndacss.datasets` with Landsat images of 30 m."""


class ViewsSettings(Settings):
    """Which labelled images, and which network harmonizes them."""

    sources: tuple[Entry, ...] = ()
    """Tables `[[views.sources]]`: `kind`, options of that kind (paths are relative to the current
    directory), and optionally `name`."""
    side: int = Field(default=384, ge=96, le=3000, multiple_of=12)
    """Rows and columns of a view, pixels of 10 m: whole pixels of 20, 30 and 60 m. Of multiples of
    192, samples of 20 m whose sides suit the mask network lose nothing."""
    weights: tuple[str, ...] = Field(default=DEFAULT_WEIGHTS, min_length=1)
    """Harmonizers: names in `checkpoints/`, or paths of cards; several are an ensemble."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the networks compute in; `auto` is bfloat16 for our own, float32 for the published."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", exclude=True)
    """`auto` takes a CUDA card where there is one. Never enters a recipe."""

    @model_validator(mode="after")
    def _consistent(self) -> ViewsSettings:
        titles = [entry.title for entry in self.sources]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two sources are called {title!r}; give them a `name`")
        return self


SETTINGS = ViewsSettings
