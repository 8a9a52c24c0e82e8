"""The twin: scenes made by arithmetic, written as the agencies write them, with the truth beside.

    landscape  the ground: surface reflectance at any map coordinate     (noise, spectra)
    targets    grounds whose answer is known exactly: flat, ramp, point
    sky        clouds, their shadows, haze                               (noise)
    atmosphere what air and cloud do to light between sun, ground and sensor
    sampling   continuous ground to pixels: area means of 30 m and 15 m squares
    quality    truth labels and the agency's quality bits
    mtl        the metadata file, as text, JSON and XML
    landsat    `write_landsat`: all of it, as two Collection-2 product folders

Everything is a pure function of a seed and of map coordinates: any block of any place can be
computed alone, and how a scene is cut into blocks never changes a pixel. It is a model that a
reader can check, not a radiative-transfer code, and never stands in for a real measurement.

    from nndacss.simulate import write_landsat
    pair = write_landsat(folder, seed=0, rows=340, columns=340)     # pair.l1, pair.l2, pair.truth
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nndacss.simulate.landsat import LandsatPair, write_landsat

__all__ = ["LandsatPair", "write_landsat"]


def __getattr__(name: str) -> Any:
    """`write_landsat` and `LandsatPair` on first use, so that importing this package is cheap."""
    if name in __all__:
        from nndacss.simulate import landsat

        return getattr(landsat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
