"""What kind of country a place is: how dry, wooded, wet, settled, and what its fields grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.spectra import NUMBER

Classes = NDArray[np.uint8]


def numbers(*names: str) -> Classes:
    """Materials by name, as their numbers."""
    return np.array([NUMBER[name] for name in names], dtype=np.uint8)


#: What a parcel may grow, one entry a share of one eighth; each place has one of these seasons.
SEASONS = (
    numbers(
        *("green crop", "green crop", "green crop", "bare soil"),
        *("bare soil", "ripe crop", "grass", "rapeseed"),
    ),
    numbers(*(["bare soil"] * 5), "green crop", "grass", "ripe crop"),
    numbers(*(["green crop"] * 5), "grass", "grass", "bare soil"),
    numbers(*(["ripe crop"] * 4), "bare soil", "bare soil", "grass", "green crop"),
    numbers(*(["grass"] * 6), "green crop", "ripe crop"),
)


@dataclass(frozen=True)
class Region:
    """What kind of country it is; ranges such that clear ground spreads as in real scenes."""

    dry: float
    """Share of the land that is steppe, shrub and sand, 0 to 1."""
    bare: float
    """How much of the dry land is sand, from 0 (shrub and steppe) to 1."""
    wooded: float
    """More forest where positive, in standard deviations of its field."""
    wet: float
    """More lakes where positive, likewise."""
    turbid: float
    """How muddy waters are, 0 to 1."""
    settled: float
    """More towns where positive, likewise."""
    fields: float
    """Size of parcels in the size of those of old farm land, 1 to 4."""
    contrast: float
    """How different parcels of one crop are, 0 to 1."""
    season: int
    """Which of the crops grow."""

    @classmethod
    def drawn(cls, seed: int) -> Region:
        """What a seed draws: half the places are moist, one in five a desert, one in eight wet."""
        draw = np.random.default_rng([seed, 0x57A])
        kind, wet = draw.uniform(size=2)
        return cls(
            dry=0.0 if kind < 0.5 else 1.0 if kind > 0.8 else float(draw.uniform(0.2, 0.8)),
            bare=float(draw.uniform(0, 1)),
            wooded=float(draw.uniform(-1.2, 0.9)),
            wet=float(draw.uniform(1, 3.2)) if wet > 0.87 else float(draw.uniform(-0.5, 0.5)),
            turbid=float(draw.uniform(0, 1)),
            settled=float(draw.uniform(-1.5, 0.1)),
            fields=float(4 ** draw.uniform()),
            contrast=float(draw.uniform(0.3, 1)),
            season=int(draw.integers(len(SEASONS))),
        )
