"""The kinds of sources; light to import.

Every Landsat module of `nndacss.datasets` is one (`nndacss.views.archive` makes its images), and
`twin` is simulated: unlike the data set of that name it has a pan band, and lies on 10 m pixels
(`nndacss.views.twin`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from nndacss.datasets import Dataset
from nndacss.entries import Entry, Origin, build
from nndacss.plugins import load

#: Raised when the simulation gives other pixels or labels for the same seed.
VERSION = 1
#: `kind` of the simulated source.
TWIN = "twin"


class Twin(Origin):
    """Simulated Landsat-8 surface reflectance under clouds: which seeds, and how labelled."""

    first: int = Field(default=0, ge=0)
    """First seed. Keep training and test sets apart by ranges of seeds."""
    count: int = Field(default=100, ge=1)
    """How many seeds; each is one view."""
    strict: bool = True
    """False: a pixel near a threshold of the truth may be either class, see
    `nndacss.datasets.twin.near_threshold`."""

    def names(self) -> tuple[str, ...]:
        """One a seed, sorted."""
        return tuple(f"{seed:07d}" for seed in range(self.first, self.first + self.count))

    def fingerprint(self) -> Mapping[str, Any]:
        """The version of the simulation; its options stand in the recipe already."""
        return {"version": VERSION}


Source = Twin | Dataset


def source(entry: Entry, location: Mapping[str, str] | None = None) -> Source:
    """The source of an entry; `location` is the order's, where its paths are not in the entry.

    SettingsError for a wrong kind or option.
    """
    if entry.kind == TWIN:
        return build(entry, Twin, "views.sources", location)
    kind: type[Dataset] = load("datasets", entry.kind)
    return build(entry, kind, "views.sources", location)


def scheme_of(found: Source) -> str:
    """Its module of `nndacss.labels`."""
    return found.scheme if isinstance(found, Dataset) else Dataset.scheme
