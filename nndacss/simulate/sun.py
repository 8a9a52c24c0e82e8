"""The time of day at which the sun stands in a direction."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import atan2, cos, degrees, radians, sin, tan


def passed(day: date, longitude: float, latitude: float, azimuth: float) -> datetime:
    """When on `day` (local) the sun's azimuth comes nearest to `azimuth`, within a minute, UTC.

    All in degrees, azimuth clockwise from north; only hours from 6 to 18 solar time count. The
    sun's height follows from the day and is not asked: scenes here may have another.

    Early in November it stands in the south 16 minutes before noon by the mean sun:

    >>> passed(date(2026, 11, 3), 0.0, 50.0, 180.0).strftime("%H:%M")
    '11:44'
    """
    turn = radians(360 / 365 * (day.timetuple().tm_yday - 81))
    # Equation of time in minutes, and declination: Cooper (1969) and Spencer (1971), rounded.
    equation = 9.87 * sin(2 * turn) - 7.53 * cos(turn) - 1.5 * sin(turn)
    declination = radians(23.45) * sin(turn)
    place = radians(latitude)

    def off(minute: int) -> float:
        hour = radians((minute - 720) / 4)
        south = atan2(sin(hour), cos(hour) * sin(place) - tan(declination) * cos(place))
        return abs((degrees(south) + 180 - azimuth + 180) % 360 - 180)

    minute = min(range(360, 1081), key=off)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight + timedelta(minutes=round(minute - equation - 4 * longitude))
