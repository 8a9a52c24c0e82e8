"""What a page is made of: parts with tables and figures, and the labelled chips they look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.raster import Pixels

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """One image with what is known about clouds and shadows in it."""

    name: str
    source: str
    """Which archive, or `twin`."""
    pixels: Pixels
    """(bands, rows, columns) reflectance, NaN where missing."""
    roles: tuple[str, ...]
    level: str
    """`TOA` or `SR`."""
    cloud: Mask
    """(rows, columns), thin and thick."""
    thin: Mask | None
    """Thin cloud; None where thin and thick are not told apart."""
    shadow: Mask | None
    """Shadow outside cloud; None where nobody marked shadows."""
    snow: Mask | None = None
    """None where nobody marked snow."""
    metres: float = 30.0
    thickness: NDArray[np.float32] | None = None
    """Cloud optical thickness; known in the twin alone."""

    def band(self, role: str) -> NDArray[np.float32]:
        """(rows, columns) of one role."""
        plane: NDArray[np.float32] = self.pixels[self.roles.index(role)]
        return plane

    @property
    def valid(self) -> Mask:
        """Where every band has a value."""
        return np.asarray(np.isfinite(self.pixels).all(axis=0))

    def kind(self, name: str) -> Mask:
        """Where it is `clear`, `thin`, `thick` or `shadow`; nowhere where that was not marked.

        Clear leaves out shadows and snow where they were marked.
        """
        nowhere = np.zeros(self.cloud.shape, dtype=np.bool_)
        shadow = nowhere if self.shadow is None else self.shadow
        thin = nowhere if self.thin is None else self.thin
        snow = nowhere if self.snow is None else self.snow
        chosen = {
            "clear": ~self.cloud & ~shadow & ~snow,
            "thin": thin,
            "thick": self.cloud & ~thin,
            "shadow": shadow & ~self.cloud,
        }[name]
        return np.asarray(chosen & self.valid)


@dataclass(frozen=True)
class Table:
    """Rows of text with a verdict in one line."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdict: str
    agrees: bool | None
    """Whether twin and world agree; None where the table does not judge."""
    marks: tuple[bool | None, ...] = ()
    """Per row, whether it agrees; empty for no marks."""


@dataclass(frozen=True)
class Figure:
    """A picture or chart."""

    markup: str
    """`<img>` with a data URI, or inline SVG."""
    caption: str


@dataclass(frozen=True)
class Part:
    """One section of the page."""

    title: str
    text: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    missing: tuple[str, ...] = ()
    """What could not be compared, and why."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """The same as JSON."""
