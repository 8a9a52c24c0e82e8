"""From reflectance and temperature to the numbers in Landsat's files.

Scalings are those of Collection-2 products (USGS LSDS-1822, LSDS-1619); real MTL files carry the
same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import SettingsError
from nndacss.simulate.noise import Field

Counts = NDArray[np.uint16]

#: Level 1: reflectance * sin(sun elevation) = MULT * DN + ADD.
TOP_MULT, TOP_ADD = 2.0e-5, -0.1

#: Level 2: surface reflectance = MULT * DN + ADD.
SURFACE_MULT, SURFACE_ADD = 2.75e-5, -0.2

#: Level 2: surface temperature in kelvin = MULT * DN + ADD.
KELVIN_MULT, KELVIN_ADD = 0.00341802, 149.0

#: Noise of the thermal bands in W / (m2 sr um): about 0.05 K at 300 K.
THERMAL_NOISE = 0.007


@dataclass(frozen=True)
class Thermal:
    """One thermal band: radiance = mult * DN + add, kelvin = k2 / ln(k1 / radiance + 1)."""

    mult: float
    add: float
    k1: float
    k2: float

    def radiance(self, kelvin: Field) -> Field:
        """W / (m2 sr um) of a black body."""
        result: Field = np.float32(self.k1) / np.expm1(np.float32(self.k2) / kelvin)
        return result

    def kelvin(self, radiance: Field) -> Field:
        """Brightness temperature."""
        result: Field = np.float32(self.k2) / np.log1p(np.float32(self.k1) / radiance)
        return result


#: spacecraft -> thermal bands 10 and 11, from MTL files of Landsat-8 and Landsat-9.
THERMAL = {
    8: (
        Thermal(3.3420e-04, 0.1, 774.8853, 1321.0789),
        Thermal(3.3420e-04, 0.1, 480.8883, 1201.1442),
    ),
    9: (
        Thermal(3.8000e-04, 0.1, 799.0284, 1329.2405),
        Thermal(3.4900e-04, 0.1, 475.6581, 1198.3494),
    ),
}


def thermal(spacecraft: int) -> tuple[Thermal, Thermal]:
    """Bands 10 and 11 of a spacecraft."""
    if spacecraft not in THERMAL:
        raise SettingsError(f"spacecraft is {spacecraft}; give 8 or 9")
    return THERMAL[spacecraft]


def counts(value: NDArray[np.floating], mult: float, add: float) -> Counts:
    """The nearest count for a value, 1 to 65535; 0 is kept for fill.

    >>> counts(np.array([0.2, -9.0, 9.0]), SURFACE_MULT, SURFACE_ADD).tolist()
    [14545, 1, 65535]
    """
    scaled = np.rint(value.astype(np.float64) * (1 / mult) - add / mult)
    return np.clip(scaled, 1, 65535).astype(np.uint16)


def surface_temperature(red: Field, nir: Field, swir: Field, sun_elevation: float) -> Field:
    """Kelvin, from how much sun a surface takes up and how much of it plants evaporate.

    A rule of thumb that puts dry soil above forest above water, and snow below freezing.
    """
    plants = np.clip((nir - red) / np.maximum(nir + red, np.float32(0.01)), 0, 1)
    taken = 1 - np.clip((red + nir) / 2, 0, 1)
    sun = np.float32(24 * np.sin(np.radians(sun_elevation)))
    dry = np.clip(swir * 4, 0, 1)
    heat: Field = 14 * taken + sun * taken * dry * (1 - np.float32(0.55) * plants)
    return np.float32(266) + heat
