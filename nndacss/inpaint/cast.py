"""Where the shadow of a cloud falls, seen from where the sensor is."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin, tan

from nndacss.errors import SettingsError, complain
from nndacss.simulate.sky import shadow_offset


@dataclass(frozen=True)
class Geometry:
    """Sun and sensor over a patch, degrees; azimuths clockwise from north, from the ground."""

    sun_elevation: float
    sun_azimuth: float
    view_zenith: float = 0.0
    """Between the line of sight and straight up."""
    view_azimuth: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.sun_elevation <= 90:
            found = f"{self.sun_elevation:g} degrees"
            remedy = "give the sun's height above the horizon"
            raise SettingsError(complain("sun elevation", found, "above 0, up to 90", remedy))
        if not 0 <= self.view_zenith < 80:
            found = f"{self.view_zenith:g} degrees"
            raise SettingsError(complain("view zenith", found, "0 to 80", "correct it"))

    def offset(self, height: float) -> tuple[float, float]:
        """Metres (east, north) from where a cloud is seen to where its shadow is.

        `height` is metres above the ground. The shadow lies (east, north) = -height /
        tan(elevation) * (sin azimuth, cos azimuth) from below the cloud; the sensor sees the
        cloud moved away from itself by height * tan(view zenith).

        Sun in the south at 45 degrees, then also a sensor low in the east, at 45 degrees:

        >>> [round(part) for part in Geometry(45, 180).offset(1000)]
        [0, 1000]
        >>> [round(part) for part in Geometry(45, 180, 45, 90).offset(1000)]
        [1000, 1000]
        """
        east, north = shadow_offset(height, self.sun_elevation, self.sun_azimuth)
        aside = height * tan(radians(self.view_zenith))
        around = radians(self.view_azimuth)
        return east + aside * sin(around), north + aside * cos(around)


def in_pixels(offset: tuple[float, float], metres: float) -> tuple[float, float]:
    """(east, north) metres as (rows down, columns right) of pixels of `metres`; rows point south.

    >>> in_pixels((60.0, 30.0), 30.0)
    (-1.0, 2.0)
    """
    east, north = offset
    return -north / metres, east / metres


def turned_azimuth(azimuth: float, which: int) -> float:
    """The azimuth, degrees, as it is in an image turned by `nndacss.train.augment.turn`.

    `which % 4` quarter turns against the clock; from 4 on the image is mirrored first, its left
    and right exchanged.

    >>> turned_azimuth(135.0, 1), turned_azimuth(135.0, 4), turned_azimuth(90.0, 5)
    (45.0, 225.0, 180.0)
    """
    mirrored = -azimuth if which >= 4 else azimuth
    return (mirrored - 90.0 * (which % 4)) % 360
