"""Light between sun, ground and sensor: air, haze and clouds, per band, in closed form.

The sensor looks straight down; mu = sin(sun elevation). All steps are textbook approximations:

- Rayleigh optical thickness of the air column at 1013 hPa: Hansen and Travis (1974), eq. 2.29;
  haze falls with wavelength as lambda ** -1.3 (continental aerosol).
- Path reflectance: single scattering, thickness * phase / (4 mu) for a nadir view. The Rayleigh
  phase is 3/4 (1 + mu**2); the haze's albedo times phase is 0.35 (back scattering).
- Transmittance on one path of air mass m: exp(-(0.52 Rayleigh + 0.16 haze) m), since about half
  of what air scatters, and most of what haze scatters, goes on downwards.
- Cloud of optical thickness t: reflects R = g t / (1 + g t), g = (1 - 0.85) * sqrt(3) / 2, the
  two-stream result for water drops that absorb nothing; the rest goes through. Thick clouds are
  darker where water absorbs, by `CLOUD`, and darker or brighter as their tops face the sun, see
  `clouds`.
- Ground in a shadow: the direct beam keeps exp(-t (1 - 0.85**2) / mu), the forward peak counted
  as not scattered (delta scaling; Joseph, Wiscombe and Weinman 1976, J. Atmos. Sci. 33, 2452);
  a share of the light, `diffuse`, comes from the sky and stays. Of the light that the cloud
  passes on scattered, `_SIDE` arrives in the shadow. The truth counts the beam alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndacss.sensors import Sensor, landsat8_oli
from nndacss.simulate.clouds import Cloud, Light
from nndacss.simulate.noise import Field

#: Brightness of an endlessly thick water cloud per band (1 where not named): liquid water absorbs
#: in the short-wave infrared (a layer's `absorption` is a power of it: more for ice), and water
#: vapour above a low cloud hides it in the cirrus band.
CLOUD = {"nir08": 0.97, "swir16": 0.72, "swir22": 0.52, "cirrus": 0.03}

#: Share of the ground's light that water vapour (about 20 mm) lets through, down and up; a low
#: cloud has about a third of it above itself, a high one none.
VAPOUR = {"nir09": 0.55}

#: Asymmetry of scattering by cloud drops in the visible.
ASYMMETRY = 0.85

#: Share of the light that a cloud scatters downwards, or that neighbours throw in, that arrives in
#: its shadow. Set such that shadows over clear ground beside them lie where labelled scenes have
#: them (`nndacss.simulate.check`): a shadow is about half as bright, not black.
_SIDE = 0.95

_TWO_STREAM = np.float32((1 - ASYMMETRY) * 3**0.5 / 2)


def rayleigh(wavelength: float) -> float:
    """Optical thickness of the air column; `wavelength` in micrometres.

    >>> round(rayleigh(0.55), 3)
    0.097
    """
    square = wavelength**-2
    return 0.008569 * square**2 * (1 + 0.0113 * square + 0.00013 * square**2)


def cloud_reflectance(thickness: Field) -> Field:
    """Reflectance of a cloud over black ground that absorbs nothing."""
    scaled = _TWO_STREAM * thickness
    result: Field = scaled / (1 + scaled)
    return result


def beam(slant: Field) -> Field:
    """Share of the sun's beam that passes clouds of a thickness along it, forward peak included."""
    result: Field = np.exp(np.float32(-(1 - ASYMMETRY**2)) * slant)
    return result


def sunlight(slant: Field) -> Field:
    """Share of the sun's light that arrives below clouds: the beam and part of what scatters."""
    straight = beam(slant)
    scattered = np.maximum(1 - cloud_reflectance(slant) - straight, 0)
    result: Field = straight + np.float32(_SIDE) * scattered
    return result


@dataclass(frozen=True)
class Air:
    """The clear air over one scene."""

    sun_elevation: float
    """Degrees above the horizon."""
    haze: float = 0.08
    """Mean haze optical thickness at 0.55 um: what the surface product's maker assumes."""
    sensor: Sensor = landsat8_oli.SENSOR
    """Whose bands."""

    def _wavelength(self, role: str) -> float:
        return self.sensor.band(role).wavelength

    def _mu(self) -> float:
        return float(np.sin(np.radians(self.sun_elevation)))

    def path(self, role: str, haze: Field) -> Field:
        """Reflectance of the air alone, for a field of haze thickness at 0.55 um."""
        wavelength, mu = self._wavelength(role), self._mu()
        if role == "cirrus":
            return np.full_like(haze, 0.001)
        air = rayleigh(wavelength) * 0.75 * (1 + mu**2) / (4 * mu)
        dust = 0.35 * (wavelength / 0.55) ** -1.3 / (4 * mu)
        return np.float32(air) + np.float32(dust) * haze

    def transmittance(self, role: str, haze: Field) -> Field:
        """Share of the light that comes down to the ground and up to the sensor."""
        wavelength, mass = self._wavelength(role), 1 / self._mu() + 1
        air = 0.52 * rayleigh(wavelength) * mass
        dust = 0.16 * (wavelength / 0.55) ** -1.3 * mass
        result: Field = np.exp(-(np.float32(air) + np.float32(dust) * haze))
        return result

    def diffuse(self, role: str) -> float:
        """Share of the ground's light that comes from the sky and not from the sun's disc."""
        sky = 0.5 * rayleigh(self._wavelength(role)) / self._mu() + 0.04
        return sky / (1 + sky)

    def below(self, role: str, ground: Field, light: Light) -> Field:
        """Reflectance under the clear air: ground in sun or shadow, seen through clouds."""
        sky, vapour = np.float32(self.diffuse(role)), VAPOUR.get(role, 1.0)
        sun = sunlight(light.slant) * light.hills
        lit: Field = ground * (sky + (1 - sky) * sun) * np.float32(vapour)
        for cloud in light.clouds:
            share = cloud_reflectance(cloud.thickness)
            lit = share * (np.float32(_brightness(role, cloud)) * cloud.shade) + (1 - share) * lit
        return lit

    def top(self, role: str, below: Field, haze: Field) -> Field:
        """Reflectance at the top of the atmosphere."""
        return self.path(role, haze) + self.transmittance(role, haze) * below

    def corrected(self, role: str, top: Field) -> Field:
        """What a surface product's maker gets back, who knows the mean haze only."""
        mean = np.float32(self.haze)
        haze = np.full((1, 1), mean, dtype=np.float32)
        clear = self.transmittance(role, haze) * np.float32(VAPOUR.get(role, 1.0))
        return (top - self.path(role, haze)) / clear


def _brightness(role: str, cloud: Cloud) -> float:
    """Brightness of an endlessly thick cloud as seen from above the air."""
    if role == "cirrus":
        return 0.75 if cloud.ice else CLOUD["cirrus"]
    above = 1.0 if cloud.ice else VAPOUR.get(role, 1.0) ** (1 / 3)
    return float(above * CLOUD.get(role, 1.0) ** cloud.absorption)
