"""Sensors as tables: role, wavelength, metres. One more sensor = one more file here.

A sensor module exports `SENSOR`, a `Sensor`. Roles are the words all other code uses to ask for
a band; they follow the STAC `eo:common_name` vocabulary. `nir` is the broad near infrared of
Sentinel-2 (B08); `nir08` the narrow one (Landsat B5, Sentinel-2 B8A).
"""

from __future__ import annotations

from dataclasses import dataclass

#: The six roles that Landsat OLI and Sentinel-2 MSI share, in the order of every product here.
REFLECTIVE = ("blue", "green", "red", "nir08", "swir16", "swir22")


@dataclass(frozen=True)
class Band:
    """One band of a sensor."""

    role: str
    """What other code calls it, see the module."""
    name: str
    """What the agency calls it, e.g. `B2`."""
    wavelength: float
    """Centre wavelength, micrometres."""
    width: float
    """Full width at half maximum, micrometres."""
    metres: int
    """Native pixel size, metres."""


@dataclass(frozen=True)
class Sensor:
    """One imaging instrument (or a family whose bands are alike)."""

    name: str
    platforms: tuple[str, ...]
    bands: tuple[Band, ...]
    push_broom: bool = True
    """Whether it sees a place in each band at another moment, and so from another angle; a whisk
    broom sees them all at once."""

    def band(self, role: str) -> Band:
        """The band that plays `role`; KeyError with the roles there are."""
        for band in self.bands:
            if band.role == role:
                return band
        raise KeyError(f"{self.name} has no band {role!r}; it has {', '.join(self.roles)}")

    @property
    def roles(self) -> tuple[str, ...]:
        """All roles, in band order."""
        return tuple(band.role for band in self.bands)
