"""How Proba-V's camera looks: bands, sharpness, noise, moments, calibration, saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nndacss.sensors.probav import SENSOR
from nndacss.simulate.optics import Optics

#: Proba-V's bands in the order of its networks, and the roles that other code asks for.
BANDS = ("BLUE", "RED", "NIR", "SWIR")
ROLES = tuple(next(b.role for b in SENSOR.bands if b.name == name) for name in BANDS)

#: Sigma of the camera's point spread, metres, along both axes: full widths of 109, 118, 110 and
#: 190 m (Mateo-Garcia et al. 2021, IEEE JSTARS 14, 747-761).
SIGMA: Mapping[str, float] = dict(zip(ROLES, (46.1236, 50.0845, 46.7560, 80.7639), strict=True))


def _by_band(*values: float) -> dict[str, float]:
    return dict(zip(ROLES, values, strict=True))


#: How Proba-V looks. Weights: least squares over 7,940 airborne spectra (Scheffler et al. 2020,
#: doi:10.3390/rs12050773), joined by straight lines between the centres of Landsat's and
#: Sentinel-2's bands and averaged over Proba-V's (centres and widths of `nndacss.sensors.probav`),
#: sum held at 1; left over: 0.0002 to 0.006 in reflectance. Noise at 100 m pixels: three times
#: that of the 300 m pixels which the mission was specified for, signal-to-noise 155, 430, 529 and
#: 405 at 111, 110, 106 and 20 W / (m2 sr um), rounded. Delays: near infrared first, short-wave
#: infrared 12 s later (PROBA-V Products User Manual); even steps between are assumed. Swing:
#: 7.45 km/s at 820 km.
PROBAV = Optics(
    sensor=SENSOR,
    weights=dict(
        zip(
            ROLES,
            (
                {"coastal": 0.58, "blue": 0.42},
                {"green": 0.04, "red": 0.93, "nir08": 0.03},
                {"red": 0.04, "nir08": 0.96},
                {"nir08": 0.015, "swir16": 0.977, "swir22": 0.008},
            ),
            strict=True,
        )
    ),
    noise=_by_band(0.0025, 0.0010, 0.0010, 0.0012),
    spread={30: 0.0},
    delay=_by_band(4.0, 0.0, -4.0, 8.0),
    swing=7.45 / 820,
    salt=2_000_003,
)


@dataclass(frozen=True)
class Radiometry:
    """How counts follow from light; assumed values that make a gap like that between real sensors.

    Absolute calibrations of such sensors agree within a few per cent, and bright clouds saturate
    Proba-V first in blue.
    """

    gain: tuple[float, ...] = (1.03, 0.98, 1.02, 0.97)
    """Calibration of each band over the true one."""
    full: tuple[float, ...] = (0.62, 0.80, 0.85, 0.90)
    """Reflectance times sine of the sun's elevation at which each band saturates."""
