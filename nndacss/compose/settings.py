"""Settings of composed training samples: section `[compose]`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nndacss.compose.options import ComposeOptions
from nndacss.settings import Settings

VERSION = 1


class ComposeSettings(ComposeOptions):
    """How views become training samples: the composition itself, and what is kept of it."""

    draws: int = Field(default=1, ge=1)
    """Composed versions of a view, each with strengths of its own; only for methods that draw."""
    seed: int = Field(default=0, ge=0)
    """Of all draws."""
    mask: Literal["true", "dilated", "other"] = "true"
    """For `by_class`, which mask says where cloud and shadow are. The others are controls, since a
    network may learn the border of a composition instead of clouds. `dilated`: grown by a distance
    that is drawn. `other`: the mask of a view of another scene. The labels are always the true
    ones."""
    dilate: float = Field(default=300.0, gt=0)
    """For `dilated`: metres, the largest growth."""
    finest: float = Field(default=20.0, ge=10)
    """Metres: composed images are averaged by round(finest / 10), as the network will see them."""
    side: int = Field(default=192, ge=32, le=2048, multiple_of=32)
    """Rows and columns of a sample, pixels; the network needs a multiple of 32. Whole samples are
    cut from a view, from its upper left; the rest of it is left out."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.mask != "true" and self.method != "by_class":
            raise ValueError(f"mask = {self.mask!r} changes nothing but by_class")
        return self

    @property
    def title(self) -> str:
        """In a word, for the name of the store."""
        name = self.method
        if self.method == "by_class":
            name += f"-{self.adapted}"
        return name if self.mask == "true" else f"{name}-{self.mask}"


SETTINGS: type[Settings] = ComposeSettings
