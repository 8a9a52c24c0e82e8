"""Climate structures: what hides or changes the ground."""

from __future__ import annotations

from enum import IntEnum

from nndacss.labels import Scheme


class Climate(IntEnum):
    """Codes of every mask here; nodata is never clear."""

    CLEAR = 0
    SHADOW = 1
    SNOW = 2
    CLOUD = 3
    NODATA = 255


#: Class -> red, green, blue; clear and nodata are shown transparent where that is possible.
COLOURS = {
    Climate.CLEAR: (76, 153, 76),
    Climate.SHADOW: (63, 48, 112),
    Climate.SNOW: (64, 196, 220),
    Climate.CLOUD: (240, 140, 40),
    Climate.NODATA: (0, 0, 0),
}

#: Class names in lower case, in the order of their codes.
SCHEME = Scheme(
    name="climate",
    classes=("clear", "shadow", "snow", "cloud"),
    colours=tuple(COLOURS[code] for code in Climate if code != Climate.NODATA),
)
