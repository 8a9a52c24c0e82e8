"""A sky: low and high clouds, the shadows they cast, and haze.

Optical thickness (at 0.55 um) of a layer is log-linear in a fractal field p near its edge,
0.3 * exp(gain * (p - level)), and levels off towards `peak` inside. So its cloud, thickness
>= 0.3, is exactly where p >= level, and the cover asked for is a quantile of p over the scene. A
high gain gives heaps with firm edges, a low one veils.

Each seed is another weather: the size of its heaps, whether they stand in rows, how firm and how
thick they are. The ranges are set such that what `nndacss.simulate.check` counts (spectra of thin
and thick cloud, sizes and edges of masks) lies about where real scenes have it.

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

#: Grains of a cloud: at most this many, halving, and none finer than this many metres. Masks
#: drawn by people show structure down to the pixel, 20 m.
_GRAINS, _FINEST = 9, 28.0


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
    fall: float = 0.6
    """Each grain has this share of the strength of the one before."""
    stretch: tuple[float, float] = (1.0, 1.0)
    """How many times longer the cloud is to the east and to the north: rows, streaks."""
    peak: float = 60.0
    """Optical thickness that its thickest parts come near to."""
    absorption: float = 1.0
    """Absorption in the short-wave infrared, as a power of a water cloud's: more for larger drops
    and for ice."""

    def field(self, x: Coordinates, y: Coordinates) -> Field:
        """The fractal field p."""
        return fractal(x / self.stretch[0], y / self.stretch[1], self.steps, self.seed, self.fall)

    def thickness(self, x: Coordinates, y: Coordinates) -> Field:
        """Optical thickness straight down; 0 where it would be less than 0.001."""
        if not np.isfinite(self.level):
            return np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
        return self.bulk(self.field(x, y))

    def bulk(self, field: Field) -> Field:
        """Optical thickness where the fractal field is `field`."""
        power = np.float32(self.gain) * (field - np.float32(self.level))
        above = np.maximum(power, 0) * np.float32(1 / np.log(self.peak / CLOUD_THICKNESS))
        thick = np.float32(CLOUD_THICKNESS) * np.exp(power / np.sqrt(1 + above * above))
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
        low, high = self._low(draw, height), self._high(draw)
        west, south, east, north = bounds
        x = np.linspace(west, east, 257)[None, 1::2]
        y = np.linspace(north, south, 257)[1::2, None]
        return replace(self, layers=self._levelled(x, y, low, high))

    def _low(self, draw: np.random.Generator, height: float) -> Layer:
        """Heaps and sheets of water cloud: from fair-weather heaps of 500 m to fronts."""
        coarse = float(np.exp(draw.uniform(np.log(900), np.log(9000))))
        return Layer(
            seed=self.seed * 7 + 401,
            height=height,
            gain=float(draw.uniform(10, 26)),
            steps=_grains(coarse),
            level=np.inf,
            fall=float(draw.uniform(0.58, 0.8)),
            stretch=_stretch(draw, 2.5),
            peak=float(np.exp(draw.uniform(np.log(16), np.log(140)))),
            absorption=float(draw.uniform(0.6, 1.9)),
        )

    def _high(self, draw: np.random.Generator) -> Layer:
        """Veils of ice: thin, soft, streaked."""
        return Layer(
            seed=self.seed * 7 + 402,
            height=float(draw.uniform(7000, 11000)),
            gain=float(draw.uniform(4, 9)),
            steps=_grains(float(draw.uniform(4000, 9000))),
            level=np.inf,
            fall=float(draw.uniform(0.5, 0.65)),
            stretch=_stretch(draw, 4),
            peak=float(np.exp(draw.uniform(np.log(3), np.log(14)))),
            absorption=float(draw.uniform(0.8, 2.0)),
        )

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
            bulk = replace(low, level=level).bulk(field)
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


def _grains(coarse: float) -> tuple[float, ...]:
    """Halving from `coarse` metres."""
    return tuple(size for n in range(_GRAINS) if (size := coarse / 2**n) >= _FINEST)


def _stretch(draw: np.random.Generator, most: float) -> tuple[float, float]:
    """Longer one way than the other, by at most `most`."""
    longer = float(most ** (draw.uniform() ** 2))
    return (longer, 1.0) if draw.uniform() < 0.5 else (1.0, longer)
