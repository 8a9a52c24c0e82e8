"""The kinds of sources: their options, units of work and fingerprints; light to import.

What makes the pairs is in the module of the kind's name, imported when it is asked to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from nndacss.datasets.files import sizes
from nndacss.errors import DatasetError, complain
from nndacss.pairs import archives, spectra
from nndacss.pairs.source import Pair, Source
from nndacss.readers import identify

#: Raised when the same options, and files or seeds, give other pixels.
VERSIONS = {"twin": 1, "degraded": 1, "same_day": 1}


class Twin(Source):
    """Simulated pairs: which seeds, and what is drawn for each. See `nndacss.pairs.twin`."""

    first: int = Field(default=0, ge=0)
    """First seed. Keep training and test sets apart by ranges of seeds."""
    count: int = Field(default=100, ge=1)
    """How many seeds; each is one image."""
    image: int = Field(default=360, ge=24, le=2000)
    """Rows and columns of an image, 10 m pixels; whole pairs are cut from it."""
    cover: float = Field(default=0.0, ge=0, le=0.5)
    """Share of cloud, drawn from 0 to this; no one can see through cloud, so keep it small."""
    response: Literal["drawn", "simulated"] = "drawn"
    """How Sentinel-2's bands follow from Landsat's: `drawn` around centre wavelengths (see
    `response.drawn`), or the simulation's own weights, which were fitted to airborne spectra."""
    shift: float = Field(default=5.0, ge=0, le=30)
    """Metres: Landsat is seen off the target by up to this, along either axis."""
    pan_shift: float = Field(default=2.0, ge=0, le=15)
    """Metres: pan is seen off the other bands by up to this."""
    width: float = Field(default=0.2, ge=0, lt=0.5)
    """Share by which the width of Landsat's point spread varies to both sides."""
    no_pan: float = Field(default=0.15, ge=0, le=1)
    """Share of the pairs without pan."""

    def names(self) -> tuple[str, ...]:
        """One a seed, sorted."""
        return tuple(f"{seed:07d}" for seed in range(self.first, self.first + self.count))

    def fingerprint(self) -> Mapping[str, Any]:
        """The version of the simulation; its options stand in the recipe already."""
        return {"version": VERSIONS["twin"]}

    def pairs(self, title: str, name: str, side: int) -> Iterator[Pair]:
        """All whole pairs of one seed's image, row by row."""
        from nndacss.pairs import twin

        return twin.pairs(self, title, name, side)


class Degraded(Source):
    """Real Sentinel-2 as Landsat would see it. See `nndacss.pairs.degraded`."""

    archive: archives.Kind
    """How the images are stored, see `nndacss.pairs.archives`."""
    folder: Path
    only: tuple[str, ...] = ()
    """Names of images (file names without suffix); none: all."""
    without: tuple[str, ...] = ()
    """Names of images to leave out."""
    rows: tuple[float, float] = (0.0, 1.0)
    """Share of the rows from the top to use, from and to: keeps parts of one image apart."""
    seed: int = Field(default=0, ge=0)
    draws: int = Field(default=10, ge=1)
    """Pairs for each whole window of an image; windows lie anywhere in it."""
    response: Literal["drawn", "airborne"] = "drawn"
    """How Landsat's bands follow from Sentinel-2's: drawn around centre wavelengths, or fitted
    to airborne spectra (for tests: no training should see it)."""
    spectra: Path | None = None
    """Folder of those spectra."""
    shift: float = Field(default=5.0, ge=0, le=30)
    """Metres: Landsat is seen off the target by up to this, along either axis."""
    pan_shift: float = Field(default=2.0, ge=0, le=15)
    """Metres: pan is seen off the other bands by up to this."""
    width: float = Field(default=0.2, ge=0, lt=0.5)
    """Share by which the width of Landsat's point spread varies to both sides."""
    noise: float = Field(default=0.3, ge=0, le=1)
    """Share by which the strength of Landsat's noise varies to both sides."""
    no_pan: float = Field(default=0.15, ge=0, le=1)
    """Share of the pairs without pan."""

    @model_validator(mode="after")
    def _consistent(self) -> Degraded:
        if self.response == "airborne" and self.spectra is None:
            raise ValueError('response = "airborne" needs `spectra`, the folder of the spectra')
        if not 0 <= self.rows[0] < self.rows[1] <= 1:
            raise ValueError("rows are two shares, from and to, 0 to 1")
        return self

    def names(self) -> tuple[str, ...]:
        """Images, sorted; DatasetError for a name in `only` or `without` that is not there."""
        known = archives.files(self.archive, self.folder)
        for name in (*self.only, *self.without):
            if name not in known:
                found, expected = f"no image {name}", f"{', '.join(list(known)[:3])}, ..."
                remedy = "correct `only` or `without`"
                raise DatasetError(complain(self.folder, found, expected, remedy))
        return tuple(
            n for n in known if n not in self.without and (not self.only or n in self.only)
        )

    def fingerprint(self) -> Mapping[str, Any]:
        """Names and sizes of the files, and the version of the degradation."""
        known = archives.files(self.archive, self.folder)
        paths = [path for name in self.names() for path in known[name]]
        fitted = self.response == "airborne" and self.spectra is not None
        cubes = spectra.files(self.spectra) if fitted and self.spectra else []
        version = VERSIONS["degraded"]
        return {"version": version, "files": sizes(paths), "spectra": sizes(cubes)}

    def pairs(self, title: str, name: str, side: int) -> Iterator[Pair]:
        """All draws of one image."""
        from nndacss.pairs import degraded

        return degraded.pairs(self, title, name, side)


class SameDay(Source):
    """Two real products of one day. See `nndacss.pairs.same_day`."""

    landsat: Path
    """A Level-2 product, folder or `.tar`."""
    sentinel2: Path
    """A Level-2A product of the same day, `.SAFE`."""
    l1: Path | None = None
    """The Level-1 product of the same acquisition, for pan; without it no pair has pan."""
    masked: float = Field(default=0.05, ge=0, le=1)
    """Largest share of cloud, shadow and missing pixels in a window."""
    align: bool = True
    """Whether the median shift is taken out."""
    ssim: float = Field(default=0.81, ge=-1, le=1)
    """Least SSIM of a pair."""
    psnr: float = 22.0
    """PSNR, dB, that a pair exceeds."""

    def names(self) -> tuple[str, ...]:
        """One: both products together."""
        return (f"{identify(self.landsat).name}+{identify(self.sentinel2).name}",)

    def fingerprint(self) -> Mapping[str, Any]:
        """The products' identities, and the version of what is made of them."""
        found = {key: identify(Path(path)).digest for key, path in self.places().items()}
        return {"version": VERSIONS["same_day"], **found}

    def pairs(self, title: str, name: str, side: int) -> Iterator[Pair]:
        """All windows that pass, row by row."""
        from nndacss.pairs import same_day

        return same_day.pairs(self, title, name, side)


#: `kind` of an entry -> its class.
KINDS: Mapping[str, type[Source]] = {"twin": Twin, "degraded": Degraded, "same_day": SameDay}
