"""The twin: scenes made by arithmetic, written as the agencies write them, with the truth beside.

    landscape  the ground: surface reflectance at any map coordinate     (noise, spectra, region)
    targets    grounds whose answer is known exactly: flat, ramp, point
    sky        clouds, their shadows, haze                               (noise)
    atmosphere what air and cloud do to light between sun, ground and sensor
    relief     shade that hills cast
    clouds     what the sky puts between sun, ground and sensor; view and inter-band parallax
    optics     how the two sensors look: band responses, sharpness, noise, delays
    seeing     ground and sky to one noisy band                     (all of the above)
    sampling   continuous ground to pixels: area means of squares of 10 to 60 m
    quality    the truth's definition (`labels`), and the agency's quality bits
    view, msi  what Landsat and Sentinel-2 see of a window
    mtl, safe  the agencies' metadata
    landsat    `write_landsat`: two Collection-2 product folders
    sentinel2  `write_sentinel2`: two SAFE folders
    chips      `chip`: a small piece of a scene as arrays, everything drawn from a seed

Whether it is like the world: `python -m nndacss.simulate.check ../shared/data`.

Everything is a pure function of a seed and of map coordinates: any block of any place can be
computed alone, and how a scene is cut into blocks never changes a pixel. Both sensors see one
ground and one sky. It is a model that a reader can check, not a radiative-transfer code, and never
stands in for a real measurement.

Truth: cloud where the optical thickness at 0.55 um before the pixel is at least 0.3 (thin below 2),
shadow where clouds take at least 20 % of the sun's direct beam, snow where the ground is; cloud
over shadow over snow. `python -m nndacss.simulate.sensitivity` shows what other thresholds give.
A slope in its own or another hill's shade is no shadow: the truth is about clouds.

    from nndacss.simulate import write_landsat
    pair = write_landsat(folder, seed=0, rows=340, columns=340)     # pair.l1, pair.l2, pair.truth
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nndacss.simulate.chips import Chip, chip
    from nndacss.simulate.landsat import LandsatPair, write_landsat
    from nndacss.simulate.sentinel2 import Sentinel2Scene, write_sentinel2

_HOMES = {
    "Chip": "chips",
    "chip": "chips",
    "LandsatPair": "landsat",
    "write_landsat": "landsat",
    "Sentinel2Scene": "sentinel2",
    "write_sentinel2": "sentinel2",
}

__all__ = ["Chip", "LandsatPair", "Sentinel2Scene", "chip", "write_landsat", "write_sentinel2"]


def __getattr__(name: str) -> Any:
    """The public names on first use, so that importing this package is cheap."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
