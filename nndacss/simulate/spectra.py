"""What things look like: surface reflectance per material and band.

Two ends per material; a place lies somewhere between them (a crop between sparse and full, snow
between old and fresh). Values are rounded means in the ranges of published libraries (USGS
Spectral Library v7, Kokaly et al. 2017; Landsat surface reflectance over such targets), not
measurements of one place. Snow, ice, rock and water were set beside labelled points on glaciers,
see `nndacss.simulate.check`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The bands a spectrum is given in.
ROLES = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")

#: Pan (0.50 to 0.68 um) as a mean of the bands it overlaps, weighted by the overlap of the OLI
#: response curves (Barsi et al. 2014, doi:10.3390/rs61010232, rounded).
PAN = {"blue": 0.10, "green": 0.50, "red": 0.40}

#: material -> (one end, other end), each in the order of ROLES.
MATERIALS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "green crop": (
        (0.040, 0.050, 0.085, 0.075, 0.30, 0.230, 0.130),
        (0.020, 0.026, 0.058, 0.030, 0.46, 0.180, 0.075),
    ),
    "bare soil": (
        (0.045, 0.055, 0.080, 0.100, 0.16, 0.230, 0.190),
        (0.080, 0.100, 0.145, 0.185, 0.27, 0.360, 0.300),
    ),
    "ripe crop": (
        (0.045, 0.058, 0.095, 0.115, 0.25, 0.270, 0.180),
        (0.070, 0.092, 0.140, 0.180, 0.31, 0.340, 0.235),
    ),
    "rapeseed": (
        (0.030, 0.040, 0.085, 0.060, 0.38, 0.200, 0.100),
        (0.035, 0.048, 0.150, 0.140, 0.46, 0.210, 0.105),
    ),
    "grass": (
        (0.038, 0.048, 0.085, 0.075, 0.28, 0.240, 0.140),
        (0.026, 0.034, 0.072, 0.045, 0.40, 0.220, 0.105),
    ),
    "conifer": (
        (0.012, 0.016, 0.026, 0.020, 0.17, 0.075, 0.035),
        (0.018, 0.022, 0.038, 0.027, 0.25, 0.110, 0.050),
    ),
    "broadleaf": (
        (0.018, 0.023, 0.042, 0.029, 0.28, 0.130, 0.060),
        (0.024, 0.030, 0.062, 0.038, 0.42, 0.190, 0.085),
    ),
    "water": (
        (0.020, 0.022, 0.020, 0.012, 0.005, 0.003, 0.002),
        (0.065, 0.085, 0.125, 0.095, 0.026, 0.008, 0.006),
    ),
    "sand": (
        (0.150, 0.190, 0.250, 0.300, 0.36, 0.420, 0.380),
        (0.230, 0.290, 0.380, 0.450, 0.52, 0.580, 0.530),
    ),
    "rock": (
        (0.050, 0.056, 0.068, 0.078, 0.11, 0.140, 0.120),
        (0.130, 0.155, 0.195, 0.220, 0.28, 0.340, 0.300),
    ),
    "asphalt": (
        (0.070, 0.078, 0.088, 0.094, 0.12, 0.130, 0.120),
        (0.115, 0.130, 0.148, 0.160, 0.19, 0.210, 0.195),
    ),
    "tiled roof": (
        (0.055, 0.065, 0.085, 0.130, 0.19, 0.220, 0.190),
        (0.075, 0.090, 0.120, 0.210, 0.27, 0.310, 0.280),
    ),
    "bright roof": (
        (0.200, 0.240, 0.270, 0.290, 0.31, 0.310, 0.280),
        (0.400, 0.460, 0.510, 0.530, 0.55, 0.520, 0.470),
    ),
    "snow": (
        (0.500, 0.540, 0.560, 0.560, 0.47, 0.012, 0.010),
        (0.930, 0.950, 0.950, 0.930, 0.80, 0.060, 0.055),
    ),
    "ice": (
        (0.190, 0.210, 0.230, 0.210, 0.13, 0.006, 0.006),
        (0.500, 0.540, 0.540, 0.510, 0.38, 0.025, 0.022),
    ),
    "steppe": (
        (0.085, 0.100, 0.130, 0.160, 0.22, 0.280, 0.230),
        (0.140, 0.170, 0.220, 0.275, 0.35, 0.430, 0.370),
    ),
    "shrub": (
        (0.045, 0.055, 0.080, 0.090, 0.18, 0.220, 0.150),
        (0.070, 0.085, 0.120, 0.145, 0.25, 0.320, 0.240),
    ),
}

NUMBER = {name: number for number, name in enumerate(MATERIALS)}


def band(role: str) -> NDArray[np.float32]:
    """(2, materials): both ends of every material in one band; cirrus is 0.

    Water vapour hides the ground from the cirrus band. KeyError for a band nobody described.
    """
    if role == "cirrus":
        return np.zeros((2, len(MATERIALS)), dtype=np.float32)
    if role == "pan":
        parts = [np.float32(share) * band(name) for name, share in PAN.items()]
        pan: NDArray[np.float32] = np.sum(parts, axis=0, dtype=np.float32)
        return pan
    if role not in ROLES:
        raise KeyError(f"no spectra for {role!r}; there are {', '.join((*ROLES, 'pan', 'cirrus'))}")
    number = ROLES.index(role)
    ends: Sequence[list[float]] = [[m[end][number] for m in MATERIALS.values()] for end in (0, 1)]
    return np.array(ends, dtype=np.float32)
