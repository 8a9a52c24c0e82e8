"""What a kind of source must give, and the patch itself.

A kind is a subclass of `Source` in `kinds`; its pydantic fields are the options of
`[[domains.sources]]`. Options of type `Path` are places: they never enter a recipe.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from nndacss.entries import Origin

if TYPE_CHECKING:
    from nndacss.domains.settings import DomainsSettings
    from nndacss.raster import Pixels

#: Bands of both sensors, in the order of the networks.
BANDS = ("BLUE", "RED", "NIR", "SWIR")


@dataclass(frozen=True)
class PatchRecord:
    """Where a patch comes from."""

    dataset: str
    """Title of the entry in the settings."""
    kind: str
    """`twin` or `products`."""
    name: str
    """The image it was cut from, unique inside its dataset."""
    scene: str
    """What a split must not tear."""
    row: int
    """First row of the patch in that image, Proba-V pixels."""
    column: int


@dataclass(frozen=True)
class Patch:
    """One place through both sensors at about one time; float32, NaN unknown.

    Images are (side, side, 4) reflectance at the top of the atmosphere in the order of `BANDS`,
    clouds (side, side) the share of the pixel that is cloud.
    """

    pv: Pixels
    """Proba-V; complete."""
    lu: Pixels
    """Landsat-8 through the physical transform; complete."""
    l8: Pixels
    """Landsat-8 as it is (B2, B4, B5, B6, 30 m) in the middle of the patch; NaN where not kept."""
    pv_cloud: Pixels
    lu_cloud: Pixels
    l8_cloud: Pixels
    record: PatchRecord


class Source(Origin):
    """One source of patches; fields of a subclass are its options, its names are units of work."""

    @abstractmethod
    def patches(self, title: str, name: str, settings: DomainsSettings) -> Iterator[Patch]:
        """All patches of a unit; `title` is for the records."""


#: Columns of the table of records, by name and type.
RECORD_FIELDS = tuple((field.name, str(field.type)) for field in fields(PatchRecord))
