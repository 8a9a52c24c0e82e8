"""Indices: planes that a network is given beside the bands that they are made of.

An index says in one number what a network would have to learn from two bands. It is computed
from reflectance wherever that enters a network, after any variation of it, so that it always
agrees with the bands. Light where nothing is computed: recipes are made with it. To add one:
name it here with the two roles of its normalized difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nndacss.errors import SettingsError, complain

if TYPE_CHECKING:
    from nndacss.raster import Pixels

#: Index -> the roles a and b of (a - b) / (a + b). Vegetation: Rouse et al. 1974; water: McFeeters
#: 1996, doi:10.1080/01431169608948714; built-up: Zha et al. 2003, doi:10.1080/01431160304987;
#: snow: Dozier 1989, doi:10.1016/0034-4257(89)90101-6.
INDICES = {
    "ndvi": ("nir", "red"),
    "ndwi": ("green", "nir"),
    "ndbi": ("swir16", "nir"),
    "ndsi": ("green", "swir16"),
}
#: Where there is no broad near infrared, the narrow one stands for it.
STAND_IN = {"nir": "nir08"}
#: Sums of reflectance that are smaller decide nothing.
SMALLEST = 1e-3


def bands_of(roles: Sequence[str]) -> tuple[str, ...]:
    """Those of a network's planes that are bands.

    >>> bands_of(("red", "nir", "ndvi"))
    ('red', 'nir')
    """
    return tuple(role for role in roles if role not in INDICES)


def indices_of(roles: Sequence[str]) -> tuple[str, ...]:
    """Those of a network's planes that are indices."""
    return tuple(role for role in roles if role in INDICES)


def pair(index: str, roles: Sequence[str]) -> tuple[str, str] | None:
    """The two of `roles` that an index is made of; None where one is not there."""
    a, b = (role if role in roles else STAND_IN.get(role, role) for role in INDICES[index])
    return (a, b) if {a, b} <= set(roles) else None


def planned(indices: Sequence[str], roles: Sequence[str], key: str) -> tuple[str, ...]:
    """The bands `roles`, then the indices, as a network gets them.

    SettingsError, which names the setting `key`, for an index that is unknown or lacks a band.
    """
    for index in indices:
        if index not in INDICES:
            expected = f"some of {', '.join(INDICES)}"
            raise SettingsError(complain(key, repr(index), expected, "correct the name"))
        if pair(index, roles) is None:
            found = f"{index} of bands {', '.join(roles)}"
            remedy = "add the band to samples.roles, or leave the index out"
            raise SettingsError(complain(key, found, " and ".join(INDICES[index]), remedy))
    return (*roles, *indices)


def with_indices(pixels: Pixels, roles: Sequence[str], indices: Sequence[str]) -> Pixels:
    """(bands, rows, columns) reflectance -> the same with a plane for each of `indices` behind.

    -1..1; NaN where a band is missing, and where both are nearly black.
    """
    import numpy as np

    if not indices:
        return pixels
    planes = [pixels]
    for index in indices:
        found = pair(index, roles)
        if found is None:
            raise ValueError(f"{index} cannot be made of {', '.join(roles)}")
        a, b = (pixels[list(roles).index(role)] for role in found)
        total = a + b
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(total > SMALLEST, (a - b) / total, np.float32(np.nan))
        planes.append(np.clip(value, -1, 1).astype(np.float32)[None])
    return np.concatenate(planes)
