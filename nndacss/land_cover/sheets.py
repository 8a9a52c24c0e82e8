"""What each raster of a map holds, for the COG's tags, the STAC item and the report."""

from __future__ import annotations

from nndacss.labels.land_cover import ARCHIVE_OFFSET, COLOURS, SCHEME, LandCover
from nndacss.product.sheets import Label, Sheet

#: Probabilities are stored as round(probability / STEP).
STEP = 0.004
NODATA = 255

_MEANINGS = {
    LandCover.WATER: "water that is there most of the year",
    LandCover.ARTIFICIAL: "artificial bare ground: buildings, roads, quarries",
    LandCover.NATURAL_BARE: "natural bare ground: rock, sand, bare soil",
    LandCover.SNOW_ICE: "snow or ice that stays all year",
    LandCover.WOODY: "woody vegetation: trees and shrubs",
    LandCover.CULTIVATED: "cultivated vegetation: crops and plantations",
    LandCover.NATURAL_VEGETATION: "natural or half-natural vegetation that is not woody",
}


def words(code: LandCover) -> str:
    """A class for people.

    >>> words(LandCover.SNOW_ICE)
    'snow ice'
    """
    return code.name.lower().replace("_", " ")


def land_cover() -> Sheet:
    """The map in LandCoverNet's codes 1 to 7."""
    labels = tuple(
        Label(int(code) + ARCHIVE_OFFSET, words(code), COLOURS[code], meaning)
        for code, meaning in _MEANINGS.items()
    )
    nothing = Label(NODATA, "nodata", (0, 0, 0), "no observation, or hidden by cloud or its shadow")
    title = "Land cover (codes of LandCoverNet)"
    bands = ("land_cover",)
    return Sheet("land_cover", title, "uint8", NODATA, bands, "mode", labels=(*labels, nothing))


def probability() -> Sheet:
    """How sure the network was of each class."""
    title = "Class probabilities"
    return Sheet("probability", title, "uint8", NODATA, SCHEME.classes, "average", scale=STEP)
