"""A sky: low and high clouds, the shadows they cast, and haze.

Optical thickness (at 0.55 um) of a layer is log-linear in a fractal field p:
0.3 * exp(gain * (p - level)). So its cloud, thickness >= 0.3, is exactly where p >= level, and
the cover asked for is a quantile of p over the scene. A high gain gives heaps with firm edges, a
low one veils.

A cloud at height h shades the ground at the offset (east, north)
-h / tan(elevation) * (sin azimuth, cos azimuth): away from the sun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nndacss.errors import SettingsError
from nndacss.simulate.noise import Coordinates, Field, fractal

#: A place is cloud where the optical thickness overhead is at least this.
CLOUD_THICKNESS = 0.3

#: A place is shadow where the direct beam loses at least this share; light that cloud drops turn
#: by a few degrees only still belongs to the beam, see `atmosphere.beam`.
SHADOW_LOSS = 0.2

#: Thickest cloud made.
_THICKEST = 60.0


@dataclass(frozen=True)
class Layer:
    """Clouds of one kind at one height."""

    seed: int
    height: float
    """Metres above the ground."""
    gain: float
    """Firmness of the edges, see the module."""
    steps: tuple[float, ...]
    """Grains of the fractal field, metres."""
    level: float
    """Where the cloud begins; infinite for no cloud."""

    def field(self, x: Coordinates, y: Coordinates) -> Field:
        """The fractal field p."""
        return fractal(x, y, self.steps, self.seed, 0.6)

    def thickness(self, x: Coordinates, y: Coordinates) -> Field:
        """Optical thickness straight down; 0 where it would be less than 0.001."""
        if not np.isfinite(self.level):
            return np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
        power = np.float32(self.gain) * (self.field(x, y) - np.float32(self.level))
        bulk = np.exp(np.minimum(power, np.float32(np.log(_THICKEST / CLOUD_THICKNESS))))
        thick = np.float32(CLOUD_THICKNESS) * bulk
        return np.where(thick < np.float32(0.001), np.float32(0), thick)

    def slant(self, x: Coordinates, y: Coordinates, elevation: float, azimuth: float) -> Field:
        """Optical thickness along the beam that reaches the ground at `x`, `y`."""
        east, north = shadow_offset(self.height, elevation, azimuth)
        return self.thickness(x - east, y - north) / np.float32(np.sin(np.radians(elevation)))


def shadow_offset(height: float, elevation: float, azimuth: float) -> tuple[float, float]:
    """Metres (east, north) from below a cloud to its shadow; angles in degrees.

    The sun in the south at 45 degrees throws it north by the height:

    >>> [round(part) for part in shadow_offset(1000, 45, 180)]
    [0, 1000]
    """
    reach = -height / np.tan(np.radians(elevation))
    around = np.radians(azimuth)
    return float(reach * np.sin(around)), float(reach * np.cos(around))


@dataclass(frozen=True)
class Sky:
    """Clouds and haze of one seed; call `over` before use, to set the cover."""

    seed: int = 0
    cover: float = 0.2
    """Share of a scene that is cloud, 0 to 1."""
    altitude: float | None = None
    """Height of the low clouds above the ground, metres; None draws 600 to 2000."""
    haze: float = 0.08
    """Mean optical thickness of haze at 0.55 um."""
    veils: float = 0.2
    """Share of the cloud that is high and thin."""
    layers: tuple[Layer, ...] = ()
    """Low, then high; set by `over`."""

    def __post_init__(self) -> None:
        if not 0 <= self.cover <= 1:
            raise SettingsError(f"cover is {self.cover}; give a share from 0 to 1")
        if self.altitude is not None and not 0 < self.altitude < 20_000:
            raise SettingsError(f"cloud altitude is {self.altitude} m; give 0 to 20000")

    def over(self, bounds: tuple[float, float, float, float]) -> Sky:
        """This sky with its layers, their cover set over (west, south, east, north) metres."""
        draw = np.random.default_rng([self.seed, 0x5C1])
        height = float(draw.uniform(600, 2000)) if self.altitude is None else self.altitude
        low = Layer(self.seed * 7 + 401, height, 7.0, (1900, 920, 450, 220, 110, 65), np.inf)
        high = Layer(self.seed * 7 + 402, 9000.0, 1.6, (7000, 2400, 900, 380, 160), np.inf)
        west, south, east, north = bounds
        x = np.linspace(west, east, 257)[None, 1::2]
        y = np.linspace(north, south, 257)[1::2, None]
        return replace(self, layers=self._levelled(x, y, low, high))

    def _levelled(
        self, x: Coordinates, y: Coordinates, low: Layer, high: Layer
    ) -> tuple[Layer, Layer]:
        """Levels such that the layers together cover `cover`: veils first, then the low ones."""
        if self.cover == 0:
            return low, high
        if self.veils * self.cover > 0:
            high = replace(high, level=_quantile(high.field(x, y), 1 - self.veils * self.cover))
        veil = high.thickness(x, y)
        field = low.field(x, y)
        bottom, top = float(field.min()) - 1, float(field.max()) + 1
        for _ in range(30):
            level = (bottom + top) / 2
            bulk = CLOUD_THICKNESS * np.exp(np.minimum(low.gain * (field - level), 9))
            covered = float(np.mean(bulk + veil >= CLOUD_THICKNESS))
            bottom, top = (level, top) if covered > self.cover else (bottom, level)
        return replace(low, level=(bottom + top) / 2), high

    def overhead(self, x: Coordinates, y: Coordinates) -> tuple[Field, Field]:
        """Optical thickness straight up, of low and of high clouds."""
        low, high = self._ready()
        return low.thickness(x, y), high.thickness(x, y)

    def slant(self, x: Coordinates, y: Coordinates, elevation: float, azimuth: float) -> Field:
        """Cloud optical thickness along the sun's beam to the ground; angles in degrees."""
        low, high = self._ready()
        return low.slant(x, y, elevation, azimuth) + high.slant(x, y, elevation, azimuth)

    def dust(self, x: Coordinates, y: Coordinates) -> Field:
        """Optical thickness of haze: its mean, more or less by a third over 10 km."""
        wave = fractal(x, y, (12_000, 5_000), self.seed * 7 + 403, 0.5)
        dust: Field = np.float32(self.haze) * np.exp(np.float32(0.3) * np.clip(wave, -3, 3))
        return dust

    def _ready(self) -> tuple[Layer, Layer]:
        if len(self.layers) != 2:
            raise SettingsError("this sky has no layers yet; take sky.over(bounds)")
        return self.layers[0], self.layers[1]


def _quantile(field: Field, share: float) -> float:
    return float(np.quantile(field, share))
