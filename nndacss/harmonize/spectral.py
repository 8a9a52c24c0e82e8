"""The spectral step: Landsat's band responses to Sentinel-2's, one matrix for every pixel.

    Sentinel-2 = matrix @ OLI + offset

Blue and red are where the two sensors look at different colours (centres 10 nm apart), so their
difference depends on the slope of the spectrum there, which the green band tells: a line through
two bands' centres, read at Sentinel-2's centre. The near infrared bands have one centre and
nearly one width, and are taken as they are. Green and the two short-wave infrared bands keep the
published coefficients. Nothing here is fitted to data of this project.

Centre wavelengths, nm: OLI from Barsi et al. 2014 (doi:10.3390/rs61010232), Sentinel-2A from
ESA's spectral response functions (COPE-GSEG-EOPG-TN-15-0007). Sentinel-2B and 2C follow from 2A
by the ratio of the published coefficients of `nndacss.harmonize.bandpass`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndacss.harmonize.bandpass import COEFFICIENTS
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE

OLI_CENTRES = {"blue": 482.0, "green": 561.4, "red": 654.6}
MSI_CENTRES = {"blue": 492.4, "red": 664.6}
#: Bands whose centres agree within 0.1 nm and whose widths overlap by three quarters.
SAME = ("nir08",)

Row = tuple[float, ...]


@dataclass(frozen=True)
class Spectral:
    """A linear change of band responses among `roles`."""

    roles: tuple[str, ...]
    matrix: tuple[Row, ...]
    """One row a band of the result."""
    offset: Row
    """Reflectance."""

    def apply(self, pixels: Pixels) -> Pixels:
        """(..., bands, rows, columns) float32 of OLI to the target's bands; NaN stays NaN.

        A band that is made of two is missing where either is.
        """
        found = np.empty(pixels.shape, dtype=np.float32)
        for band, (row, offset) in enumerate(zip(self.matrix, self.offset, strict=True)):
            total = np.full((*pixels.shape[:-3], *pixels.shape[-2:]), offset, dtype=np.float32)
            for other, weight in enumerate(row):
                if weight:  # a band that has no part in it may be missing
                    total += np.float32(weight) * pixels[..., other, :, :]
            found[..., band, :, :] = total
        return found

    def inverse(self) -> Spectral:
        """The way back, from the target's bands to OLI's."""
        back = np.linalg.inv(np.array(self.matrix))
        shift = -back @ np.array(self.offset)
        return Spectral(self.roles, _rows(back), tuple(float(value) for value in shift))


def bandpass_spectral(target: str, roles: tuple[str, ...] = REFLECTIVE) -> Spectral:
    """The published coefficients as a (diagonal) step: (OLI - offset) / slope per band."""
    pairs = [COEFFICIENTS[target][role] for role in roles]
    slopes = np.array([slope for slope, _ in pairs])
    offsets = np.array([offset for _, offset in pairs])
    return Spectral(roles, _rows(np.diag(1 / slopes)), tuple((-offsets / slopes).tolist()))


def unchanged(roles: tuple[str, ...]) -> Spectral:
    """Bands as they are: of a scene that is the target's own."""
    return Spectral(roles, _rows(np.eye(len(roles), dtype=np.float64)), (0.0,) * len(roles))


def step(target: str) -> Spectral:
    """The step of the module's text, for the six bands that both sensors have."""
    roles = REFLECTIVE
    plain = bandpass_spectral("sentinel-2a", roles)
    matrix, offset = np.array(plain.matrix), np.array(plain.offset)
    for role, neighbour in (("blue", "green"), ("red", "green")):
        share = (MSI_CENTRES[role] - OLI_CENTRES[role]) / (
            OLI_CENTRES[neighbour] - OLI_CENTRES[role]
        )
        _set(matrix, offset, roles.index(role), {role: 1 - share, neighbour: share})
    for role in SAME:
        _set(matrix, offset, roles.index(role), {role: 1.0})
    if target != "sentinel-2a":
        ours, theirs = COEFFICIENTS["sentinel-2a"], COEFFICIENTS[target]
        for index, role in enumerate(roles):
            # OLI = s * MSI + o for both: from 2A's value to the other's
            ratio = ours[role][0] / theirs[role][0]
            matrix[index] *= ratio
            offset[index] = (
                offset[index] * ratio + (ours[role][1] - theirs[role][1]) / theirs[role][0]
            )
    return Spectral(roles, _rows(matrix), tuple(offset.tolist()))


def _set(
    matrix: NDArray[np.float64], offset: NDArray[np.float64], row: int, parts: dict[str, float]
) -> None:
    matrix[row], offset[row] = 0.0, 0.0
    for role, weight in parts.items():
        matrix[row, REFLECTIVE.index(role)] = weight


def _rows(matrix: NDArray[np.floating[Any]]) -> tuple[Row, ...]:
    return tuple(tuple(float(value) for value in row) for row in matrix)
