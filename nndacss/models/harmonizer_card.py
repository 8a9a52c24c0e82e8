"""The card of a harmonizer's weights: light, it is read where runs are planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationError, field_validator

from nndacss.errors import WeightsError, complain
from nndacss.models.card import Card, load_card
from nndacss.models.detail import DetailArchitecture
from nndacss.sensors import REFLECTIVE
from nndacss.settings import Settings

Precision = Literal["float32", "bfloat16"]

#: Bands of a result, and planes of the input: pan is the last.
ROLES = REFLECTIVE
INPUTS = (*ROLES, "pan")


class DeepArchitecture(Settings):
    """Which of the published U-Nets."""

    depth: int = 5
    """Encoder blocks, 5 or 6."""
    up: Literal["upsample", "shuffle"] = "upsample"


class HarmonizerCard(Card):
    """Weights that bring Landsat to Sentinel-2."""

    OF: ClassVar[str] = " of a harmonizer"
    family: Literal["deep_harmonization", "detail"]
    architecture: Mapping[str, Any]
    """`DeepArchitecture` or `DetailArchitecture`, by family."""
    target: Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"] = "sentinel-2a"
    """Whose bands it makes."""
    levels: tuple[str, ...] = ("SR",)
    deviation: Literal["predicted", "ensemble"]
    """Whether one network states its own error, or only several by how they differ."""
    pan: Literal["known", "synthetic"]
    """`known`: trained without pan too; `synthetic`: missing pan is replaced, see
    `SYNTHETIC_PAN`."""
    multiple: int
    """Sides of tiles are multiples of it, 10 m pixels."""
    reach: int
    """10 m pixels by which a result depends on its surroundings; 0 is without bound."""
    snow: float = 1.0
    """Factor on the standard deviation over snow, from held-out data."""

    @field_validator("roles")
    @classmethod
    def _inputs(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if roles != INPUTS:
            raise ValueError(f"a harmonizer's bands are {', '.join(INPUTS)}")
        return roles

    @property
    def built(self) -> DeepArchitecture | DetailArchitecture:
        """The architecture, typed; WeightsError where it is none of its family."""
        kind = DetailArchitecture if self.family == "detail" else DeepArchitecture
        try:
            return kind.model_validate(dict(self.architecture))
        except ValidationError as error:
            found = " ".join(str(error).split())[:200]
            expected = f"an architecture of the family {self.family}"
            remedy = "take card and weights from one export"
            raise WeightsError(complain(self.name, found, expected, remedy)) from error


def harmonizer_card(name: str | Path) -> HarmonizerCard:
    """The card of a harmonizer; WeightsError where there is none, or of other weights."""
    card = load_card(name, HarmonizerCard)
    _ = card.built
    return card


def usual_precision(cards: Iterable[HarmonizerCard]) -> Precision:
    """What networks compute in unless told otherwise: by family, never by machine.

    Our own loses nothing in bfloat16 (0.0001 RMSE against float32, on held-out pairs), the
    published U-Nets do (0.003).
    """
    families = {card.family for card in cards}
    return "bfloat16" if families == {"detail"} else "float32"
