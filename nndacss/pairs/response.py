"""How one sensor's band responses relate to the other's, as a drawn or a fitted linear map.

Training draws the map anew for each image, around the spectral step that is derived from centre
wavelengths alone (`nndacss.harmonize.spectral`); tests may take one that was fitted to airborne
spectra, which no training has seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nndacss.harmonize.spectral import Spectral, bandpass_spectral, step
from nndacss.pairs.spectra import matched
from nndacss.sensors import REFLECTIVE

#: Range of the mixing of neighbouring bands, in the mixing of the spectral step.
MIXING = (0.5, 1.5)
#: How far a slope and an offset may go, in the published coefficients: 20 % beyond them.
BEYOND = 1.2


def drawn(draw: np.random.Generator) -> Spectral:
    """A map from OLI to Sentinel-2A's bands.

    A band that the spectral step mixes of two takes 0.5 to 1.5 of that mixing, and its slope and
    offset vary to both sides by 0.6 of the published correction, since mixing and correction
    describe the same effect. Any other band has between none and 1.2 of the published correction.
    """
    middle, published = step("sentinel-2a"), bandpass_spectral("sentinel-2a")
    matrix, offset = np.eye(len(REFLECTIVE)), np.zeros(len(REFLECTIVE))
    for n, row in enumerate(np.array(middle.matrix)):
        mixed = bool(np.delete(row, n).any())
        share = draw.uniform(*MIXING) if mixed else 0.0
        low, high = (-BEYOND / 2, BEYOND / 2) if mixed else (0.0, BEYOND)
        strength = draw.uniform(low, high)
        matrix[n] += share * (row - matrix[n])
        matrix[n] *= 1 + strength * (published.matrix[n][n] - 1)
        offset[n] = strength * published.offset[n]
    return spectral(matrix, offset)


def airborne(folder: Path) -> Spectral:
    """The map from Sentinel-2A to Landsat-8 by least squares over spectra of one surface each.

    `folder` holds the cubes of `nndacss.pairs.spectra`.
    """
    landsat, sentinel = matched(folder)
    left = np.column_stack([sentinel, np.ones(len(sentinel))])
    found = np.asarray(np.linalg.lstsq(left, landsat, rcond=None)[0], dtype=np.float64)
    return spectral(found[:-1].T, found[-1])


def spectral(matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> Spectral:
    """A map from its (6, 6) matrix and (6,) offset."""
    rows = tuple(tuple(float(value) for value in row) for row in matrix)
    return Spectral(REFLECTIVE, rows, tuple(float(value) for value in offset))
