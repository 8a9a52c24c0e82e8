"""How the two sensors look: band responses, sharpness, noise, and when each band sees a place.

Ground is described in Landsat's bands (`spectra.ROLES`). A Sentinel-2 band is a weighted mean of
them; the weights sum to 1, so ground that looks alike in all bands does so for both sensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians, sin, tan

from nndacss.sensors import Sensor, landsat8_oli, sentinel2_msi


@dataclass(frozen=True)
class Optics:
    """One sensor's imaging, as far as it shows in a 10 m or 30 m pixel."""

    sensor: Sensor
    weights: Mapping[str, Mapping[str, float]]
    """role -> the ground's bands it is made of; a role not named is the ground's own band."""
    noise: Mapping[str, float]
    """role -> standard deviation at reflectance 0.1; it grows with the square root of the light."""
    spread: Mapping[int, float]
    """metres -> share of a pixel's light that goes to each of its two neighbours on an axis."""
    delay: Mapping[str, float]
    """role -> seconds after the green band."""
    swing: float
    """Radians by which the line of sight to a place turns in one second."""
    salt: int
    """Keeps the noise of two sensors apart."""


#: Landsat. Noise is close to the signal-to-noise ratios that OLI reached in orbit (Morfitt et al.
#: 2015, doi:10.3390/rs70202208). Spread: a square pixel passes 0.64 at the Nyquist frequency and
#: the kernel 1 - 4 spread of that, 0.38: about what OLI does. Delays: 0.96 s between the first and
#: the last band (Landsat 8 Data Users Handbook), here evenly spaced. Swing: 7.5 km/s at 705 km.
LANDSAT = Optics(
    sensor=landsat8_oli.SENSOR,
    weights={},
    noise={
        "coastal": 0.00040,
        "blue": 0.00030,
        "green": 0.00030,
        "red": 0.00035,
        "nir08": 0.00040,
        "swir16": 0.00030,
        "swir22": 0.00030,
        "pan": 0.00065,
        "cirrus": 0.00020,
    },
    spread={30: 0.10, 15: 0.10},
    delay={
        "cirrus": -0.36,
        "swir16": -0.24,
        "swir22": -0.12,
        "green": 0.0,
        "red": 0.12,
        "nir08": 0.24,
        "coastal": 0.36,
        "pan": 0.48,
        "blue": 0.60,
    },
    swing=7.5 / 705,
    salt=0,
)

#: Sentinel-2. Weights: least squares over the 882 complete of 1000 airborne spectra seen through
#: both sensors' response curves (Scheffler et al. 2020, doi:10.3390/rs12050773), sum held at 1;
#: left over: 0.0002 to 0.003 in reflectance, 0.015 in the red edge. Noise: signal-to-noise ratios
#: of ESA's Level-1C data quality reports at their reference radiances, as the law above. Spread:
#: 0.3 at the Nyquist frequency in 10 m bands, more in the coarse ones. Delays: order and times of
#: the focal plane (Sentinel-2 user handbook; B02 first, B09 last). Swing: 7.45 km/s at 786 km.
SENTINEL2 = Optics(
    sensor=sentinel2_msi.SENSOR,
    weights={
        "blue": {"blue": 0.89, "green": 0.11},
        "green": {"green": 0.99, "nir08": 0.01},
        "red": {"red": 1.08, "green": -0.08},
        "rededge071": {"red": 0.79, "nir08": 0.17, "swir16": 0.04},
        "rededge075": {"green": 0.24, "red": 0.05, "nir08": 0.71},
        "rededge078": {"coastal": 0.08, "nir08": 0.92},
        "nir": {"coastal": 0.03, "nir08": 0.97},
        "nir09": {"nir08": 0.95, "swir16": 0.05},
        "swir22": {"swir16": 0.01, "swir22": 0.99},
    },
    noise={
        "coastal": 0.00010,
        "blue": 0.00068,
        "green": 0.00062,
        "red": 0.00069,
        "rededge071": 0.00052,
        "rededge075": 0.00060,
        "rededge078": 0.00060,
        "nir": 0.00083,
        "nir08": 0.00084,
        "nir09": 0.00027,
        "cirrus": 0.00018,
        "swir16": 0.00047,
        "swir22": 0.00045,
    },
    spread={10: 0.13, 20: 0.12, 60: 0.10},
    delay={
        "blue": -0.527,
        "nir": -0.263,
        "green": 0.0,
        "cirrus": 0.324,
        "red": 0.478,
        "rededge071": 0.742,
        "swir16": 0.941,
        "rededge075": 0.998,
        "rededge078": 1.263,
        "nir08": 1.528,
        "swir22": 1.558,
        "coastal": 1.787,
        "nir09": 2.059,
    },
    swing=7.45 / 786,
    salt=1_000_003,
)


@dataclass(frozen=True)
class Look:
    """From where one scene is seen."""

    optics: Optics
    zenith: float = 0.0
    """Degrees between the line of sight and straight up."""
    azimuth: float = 100.0
    """Degrees clockwise from north, from the place to the sensor."""
    heading: float = 193.0
    """Degrees clockwise from north, where the satellite flies to: a descending pass."""

    def shift(self, role: str, height: float) -> tuple[float, float]:
        """Metres (east, north) from a place to what lies before it at `height` metres.

        A sensor in the east at 45 degrees sees, before a place, the cloud over its east:

        >>> [round(part) for part in Look(LANDSAT, 45.0, 90.0).shift("green", 1000)]
        [1000, 0]
        """
        aside = height * tan(radians(self.zenith))
        along = height * self.optics.swing * self.optics.delay.get(role, 0.0)
        side, way = radians(self.azimuth), radians(self.heading)
        return (
            aside * sin(side) + along * sin(way),
            aside * cos(side) + along * cos(way),
        )


def optics(sensor: str) -> Optics:
    """The optics of a sensor by its name in `nndacss.sensors`; KeyError for another."""
    return {one.sensor.name: one for one in (LANDSAT, SENTINEL2)}[sensor]
