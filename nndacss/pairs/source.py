"""What a kind of pair must give, and the pair itself.

A kind is a subclass of `Source` in `kinds`; its pydantic fields are the options of
`[[pairs.sources]]`, so an unknown option is an error. Options of type `Path` are places: they never
enter a recipe. What makes its pairs lies in a module of its own, so that planning stays light.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields

from nndacss.entries import Origin
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE

#: Bands of the target.
ROLES = REFLECTIVE
#: Bands of the input: the same of Landsat, and pan, which is always top of atmosphere.
INPUTS = (*ROLES, "pan")
#: Metres per pixel of a pair.
METRES = 10


@dataclass(frozen=True)
class PairRecord:
    """Where a pair comes from."""

    dataset: str
    """Title of the entry in the settings."""
    kind: str
    """`twin`, `degraded` or `same_day`."""
    name: str
    """The image it was cut from, unique inside its dataset."""
    scene: str
    """What a split must not tear."""
    row: int
    """First row of the window in that image, 10 m pixels."""
    column: int
    level: str
    """Of the six bands, `SR`, or `TOA` where there is nothing else. Pan is always TOA."""
    coarse_truth: bool
    """Whether B8A, B11 and B12 of the target are known at 20 m only: each value stands on 2 x 2
    pixels, from the pair's first pixel on."""
    ssim: float
    """Of the bandpass-adjusted input against the target; NaN where not computed."""
    psnr: float
    """The same, decibels."""
    shift: tuple[float, float]
    """Metres east and south (along columns and rows) by which the input's content lies off the
    target's: drawn, or estimated before it was taken out (NaN where the window does not tell)."""


@dataclass(frozen=True)
class Pair:
    """One pair, float32 reflectance, NaN missing."""

    inputs: Pixels
    """(7, side, side) in the order of `INPUTS`; pan missing everywhere where there is none."""
    target: Pixels
    """(6, side, side) in the order of `ROLES`."""
    record: PairRecord


class Source(Origin):
    """One source of pairs; fields of a subclass are its options, its names are units of work."""

    @abstractmethod
    def pairs(self, title: str, name: str, side: int) -> Iterator[Pair]:
        """All pairs of a unit, `side` pixels each; `title` is for the records."""


#: Columns of the table of records that are not text, by the type's name in `PairRecord`.
RECORD_FIELDS = tuple((field.name, str(field.type)) for field in fields(PairRecord))
