"""The kinds of sources: their options, units of work and fingerprints; light to import.

What makes the patches is in the module of the kind's name, imported when it is asked to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nndacss.datasets.files import sizes
from nndacss.domains.source import Patch, Source
from nndacss.errors import DatasetError, complain

if TYPE_CHECKING:
    from nndacss.domains.settings import DomainsSettings

#: Raised when the same options, and files or seeds, give other pixels.
VERSIONS = {"twin": 1, "products": 1}


class Twin(Source):
    """Simulated places: which seeds, and what is drawn for each. See `nndacss.domains.twin`."""

    first: int = Field(default=0, ge=0)
    """First seed. Keep training and test sets apart by ranges of seeds."""
    count: int = Field(default=100, ge=1)
    """How many seeds; each is one image."""
    image: int = Field(default=128, ge=16, le=512)
    """Rows and columns of an image, Proba-V pixels; patches are cut from it."""
    drift: float = Field(default=3000.0, ge=0)
    """Metres: the wind carries clouds by up to this from one sensor's pass to the other's."""
    zenith: float = Field(default=25.0, ge=0, lt=60)
    """Degrees: Proba-V looks aslant by up to this."""

    def names(self) -> tuple[str, ...]:
        """One a seed, sorted."""
        return tuple(f"{seed:07d}" for seed in range(self.first, self.first + self.count))

    def fingerprint(self) -> Mapping[str, Any]:
        """The version of the simulation; its options stand in the recipe already."""
        return {"version": VERSIONS["twin"]}

    def patches(self, title: str, name: str, settings: DomainsSettings) -> Iterator[Patch]:
        """All patches of one seed's image, row by row."""
        from nndacss.domains import twin

        return twin.patches(self, title, name, settings)


class Products(Source):
    """A converted Landsat scene and a Proba-V product. See `nndacss.domains.products`."""

    landsat: Path
    """The file that `ConvertPV` wrote."""
    probav: Path
    """A Level-2A product of the same place and day, as the agency's."""

    def names(self) -> tuple[str, ...]:
        """One: both products together; DatasetError where one is missing."""
        for path in (self.landsat, self.probav):
            if not path.is_file():
                expected, remedy = "a Proba-V HDF5 file", "correct the path"
                raise DatasetError(complain(path, "no such file", expected, remedy))
        return (f"{self.landsat.stem}+{self.probav.stem}",)

    def fingerprint(self) -> Mapping[str, Any]:
        """Names and sizes of the files, and the version of what is made of them."""
        self.names()
        return {"version": VERSIONS["products"], "files": sizes([self.landsat, self.probav])}

    def patches(self, title: str, name: str, settings: DomainsSettings) -> Iterator[Patch]:
        """All complete patches of the overlap, row by row."""
        from nndacss.domains.products import patches

        return patches(self, title, name, settings)


#: `kind` of an entry -> its class.
KINDS: Mapping[str, type[Source]] = {"twin": Twin, "products": Products}
