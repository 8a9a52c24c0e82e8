"""Landsat acquisitions from their names: which place and day, and where the sun then stood.

Archives of labels often carry nothing of a scene but its name. Landsat flies so regularly that
path, row and day give the rest: the place within some kilometres, the sun within 0.3 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import asin, atan, atan2, cos, degrees, pi, radians, sin, tan
from typing import Literal

from nndacss.errors import DatasetError, complain
from nndacss.readers.landsat.names import parts, product_in

SplitBy = Literal["scene", "path_row"]
"""What a split keeps together: one acquisition, or all acquisitions of a WRS-2 path and row."""

#: The WRS-2 grid and Landsat-8's orbit (USGS, Landsat 8 Data Users Handbook, LSDS-1574, section 2
#: and WRS-2 description): inclination in degrees, paths around the globe in 16 days, rows in one
#: orbit, the row that lies on the equator, where path 1 crosses it (degrees east).
_INCLINATION, _PATHS, _ROWS, _EQUATOR_ROW, _PATH_1 = 98.2, 233, 248, 60, -64.6
#: Minutes of one orbit, and the mean local time of the southward crossing of the equator. It is
#: kept between 10:00 and 10:15; scene times of 2013 to 2023 give 10:12 within two minutes.
_ORBIT, _CROSSING = 16 * 1440 / _PATHS, 10 * 60 + 12
#: The polar over the equatorial radius of WGS84, squared.
_FLATTENING = 1 - 0.00669438


@dataclass(frozen=True)
class Acquisition:
    """One Landsat-8/9 scene: when and where."""

    platform: str
    """`landsat-8` or `landsat-9`."""
    path: int
    row: int
    day: date

    @property
    def place(self) -> str:
        """What all its dates share, e.g. `landsat-8 044034`."""
        return f"{self.platform} {self.path:03d}{self.row:03d}"

    @property
    def key(self) -> str:
        """The same for this acquisition in every archive, as readers of products name it."""
        return f"{self.place} {self.day:%Y-%m-%d}"

    def group(self, by: SplitBy) -> str:
        """What a split must not tear."""
        return self.key if by == "scene" else self.place


def acquisition(name: str, source: object) -> Acquisition:
    """What a product id says; `name` may go on after it. DatasetError names `source`.

    >>> acquisition("LC81130672013142LGN01_23", "a file").key
    'landsat-8 113067 2013-05-22'
    >>> acquisition("LC08_L1TP_002053_20160520_20170324_01_T1", "a file").group("path_row")
    'landsat-8 002053'
    """
    product, split = product_in(name), parts(name)
    try:
        if split is not None:
            place, platform = split.place, f"landsat-{split.sensor[-1]}"
            day = datetime.strptime(split.acquired, "%Y%m%d").date()
        elif product is not None:
            place, platform = product[3:9], "landsat-8"
            day = datetime.strptime(product[9:16], "%Y%j").date()
        else:
            raise ValueError(name)
    except ValueError as error:
        expected = "a Landsat-8/9 product id, LC8pppRRRyyyydddLGNnn or LC08_L1TP_..."
        raise DatasetError(complain(source, name, expected, "keep the archive's names")) from error
    return Acquisition(platform, int(place[:3]), int(place[3:]), day)


def sun(scene: Acquisition) -> tuple[float, float]:
    """Elevation and azimuth of the sun over the scene's centre, degrees.

    Ten metadata files of 2013 to 2023, from 20 S to 72 N, state an elevation within 0.3 degrees of
    it and an azimuth within 0.4. At an elevation of 30 degrees, 0.3 are 1 % of the reflectance.
    """
    latitude, longitude, minutes = _overflight(scene.path, scene.row)
    turn = 2 * pi / 365.25 * (scene.day.timetuple().tm_yday - 1 + minutes / 1440)
    # Spencer (1971): declination in radians, equation of time in minutes
    declination = (
        0.006918
        - 0.399912 * cos(turn)
        + 0.070257 * sin(turn)
        - 0.006758 * cos(2 * turn)
        + 0.000907 * sin(2 * turn)
        - 0.002697 * cos(3 * turn)
        + 0.00148 * sin(3 * turn)
    )
    equation = 229.18 * (
        0.000075
        + 0.001868 * cos(turn)
        - 0.032077 * sin(turn)
        - 0.014615 * cos(2 * turn)
        - 0.040849 * sin(2 * turn)
    )
    hour = radians((minutes + 4 * longitude + equation) / 4 - 180)
    place = radians(latitude)
    height = sin(place) * sin(declination) + cos(place) * cos(declination) * cos(hour)
    south = atan2(sin(hour), cos(hour) * sin(place) - tan(declination) * cos(place))
    return degrees(asin(height)), (degrees(south) + 180) % 360


def _overflight(path: int, row: int) -> tuple[float, float, float]:
    """Latitude, longitude (degrees) and minutes of the day, UTC, that the satellite is there."""
    along = radians((row - _EQUATOR_ROW) * 360 / _ROWS)
    tilt = radians(_INCLINATION)
    geocentric = asin(-sin(tilt) * sin(along))
    latitude = degrees(atan(tan(geocentric) / _FLATTENING))
    crossing = _PATH_1 - (path - 1) * 360 / _PATHS
    later = along / (2 * pi) * _ORBIT
    # the orbit runs westward, and the Earth turns under it
    west = degrees(atan2(cos(tilt) * sin(along), cos(along))) - later / 4
    longitude = (crossing + west + 180) % 360 - 180
    return latitude, longitude, (_CROSSING - 4 * crossing + later) % 1440
