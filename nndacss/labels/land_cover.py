"""Land cover, the seven classes of LandCoverNet (Alemohammad and Booth 2020, arXiv:2012.03111).

A network's class k is LandCoverNet's code k + 1: its code 0 is "no data / unknown", which is no
class here. Delivered maps hold LandCoverNet's own codes 1..7, and 255 where there is no value.
"""

from __future__ import annotations

from enum import IntEnum

from nndacss.labels import Scheme

#: A class's code in LandCoverNet, and in delivered maps, is ours plus this.
ARCHIVE_OFFSET = 1


class LandCover(IntEnum):
    """Codes of every land-cover label here."""

    WATER = 0
    ARTIFICIAL = 1
    """Artificial bare ground: buildings, roads, quarries."""
    NATURAL_BARE = 2
    SNOW_ICE = 3
    """Snow or ice that stays all year."""
    WOODY = 4
    CULTIVATED = 5
    NATURAL_VEGETATION = 6
    """Natural or semi-natural, not woody: grass, shrub steppe, wetland."""
    NODATA = 255


#: Class -> red, green, blue; our choice, in the manner of land-cover maps.
COLOURS = {
    LandCover.WATER: (41, 98, 190),
    LandCover.ARTIFICIAL: (196, 62, 52),
    LandCover.NATURAL_BARE: (200, 178, 140),
    LandCover.SNOW_ICE: (236, 244, 250),
    LandCover.WOODY: (24, 102, 44),
    LandCover.CULTIVATED: (236, 186, 56),
    LandCover.NATURAL_VEGETATION: (148, 198, 92),
    LandCover.NODATA: (0, 0, 0),
}

#: Class names in lower case, in the order of their codes.
SCHEME = Scheme(
    name="land_cover",
    classes=(
        "water",
        "artificial",
        "natural_bare",
        "snow_ice",
        "woody",
        "cultivated",
        "natural_vegetation",
    ),
    colours=tuple(COLOURS[code] for code in LandCover if code != LandCover.NODATA),
)
