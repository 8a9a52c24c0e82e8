"""What is drawn for a patch: where the sun and the sensor stand, and what its clouds are like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from nndacss.inpaint.cast import Geometry
from nndacss.inpaint.options import PaintOptions, Range

#: Largest angle between line of sight and straight up, degrees: 7.5 at the edge of Landsat's
#: swath, 10 at that of Sentinel-2's (user handbooks).
VIEW = 9.0
#: Directions in which a sensor on a descending morning orbit stands, degrees.
SIDES = (100.0, 285.0)
#: Azimuths of the sun at that time, north and south of the tropics, degrees.
NORTHERN, SOUTHERN = (100.0, 175.0), (5.0, 80.0)
#: Above this height, metres, a cloud may be of ice.
ICE = 4000.0


@dataclass(frozen=True)
class Layer:
    """Clouds of one kind at one height."""

    height: float
    """Of its base above the ground, metres."""
    depth: float
    """From base to top where it is thickest, metres."""
    hem: float
    """Metres outward from the outline in which its optical thickness falls by e."""
    width: float
    """Metres inward from it in which the cloud reaches most of its thickness."""
    peak: float
    """Optical thickness that it comes near to inside."""
    rough: float
    """Standard deviation of the logarithm of thickness, from place to place."""
    zoom: float
    """Magnification of the outline."""
    grain: float
    """Magnification of the texture."""
    stretch: float
    """How much longer than wide the texture is."""
    absorption: float
    """Power of a water cloud's absorption in the short-wave infrared: larger for larger drops."""
    ice: float
    """Share of ice, 0 to 1."""
    relief: float
    """Largest share by which light and shade change the brightness of its top."""


def draw_geometry(
    sun: tuple[float, float] | None, settings: PaintOptions, rng: Generator
) -> Geometry:
    """Sun and sensor; `sun` is (elevation, azimuth) in degrees, drawn where it is None."""
    south = bool(rng.random() < 0.5)
    drawn = rng.uniform(*settings.elevation), rng.uniform(*(SOUTHERN if south else NORTHERN))
    side = SIDES[int(rng.integers(len(SIDES)))]
    elevation, azimuth = drawn if sun is None else sun
    # a sun at the horizon throws shadows without end
    return Geometry(max(float(elevation), 5.0), float(azimuth), float(rng.uniform(0, VIEW)), side)


def draw_haze(settings: PaintOptions, rng: Generator) -> float:
    """Optical thickness of the haze at 0.55 um; nothing is drawn where it is one number."""
    low, high = settings.haze
    return low if low == high else log_uniform(settings.haze, rng)


def draw_layer(settings: PaintOptions, rng: Generator) -> Layer:
    """One layer; low or high, thick or thin, firm or soft."""
    high = bool(rng.random() < settings.high_chance)
    thin = bool(rng.random() < settings.thin_chance)
    height = log_uniform(settings.high if high else settings.low, rng)
    icy = float(np.clip((height - ICE) / 3000, 0, 1)) if rng.random() < 0.8 else 0.0
    soft = thin and bool(rng.random() < (0.9 if high else 0.5))
    return Layer(
        height=height,
        depth=float(rng.uniform(0.05, 0.15 if thin else 0.4)) * min(height, 2000.0),
        hem=log_uniform((50.0, 300.0) if soft else (20.0, 70.0), rng),
        width=log_uniform((200.0, 1500.0) if soft else settings.width, rng),
        peak=log_uniform(settings.thin if thin else settings.thick, rng),
        rough=float(rng.uniform(0.3, 0.7)),
        zoom=log_uniform(settings.zoom, rng),
        grain=log_uniform((0.6, 1.8), rng),
        stretch=float(1 + (3 if soft else 0.7) * rng.random() ** 2),
        absorption=float(rng.uniform(0.6, 2.2)),
        ice=icy,
        relief=0.0 if soft else float(rng.uniform(0.15, 0.4)),
    )


def log_uniform(bounds: Range, rng: Generator) -> float:
    """A number whose logarithm is drawn evenly."""
    low, high = np.log(bounds)
    return float(np.exp(rng.uniform(low, high)))
