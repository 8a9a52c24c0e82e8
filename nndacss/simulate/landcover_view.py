"""One date of a painted chip as Sentinel-2 L2A has it: 12 bands, SCL and CLD.

Bands are weighted means of the ground's (`optics.SENTINEL2`), coarse ones means of 20 or 60 m that
are repeated at 10 m, as LandCoverNet has them. Clouds are the twin's (`sky`); what they hide is not
corrected, so they and their shadows show. CLD follows the cloud's brightness, SCL says what the
classifier of the agency would, except for thin cloud that it misses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nndacss.labels.land_cover import LandCover
from nndacss.landcovernet.names import BANDS, CLD, SCL
from nndacss.simulate.atmosphere import CLOUD, cloud_reflectance, sunlight
from nndacss.simulate.landcover_ground import Painter, sun
from nndacss.simulate.noise import Field, fractal
from nndacss.simulate.optics import SENTINEL2
from nndacss.simulate.sampling import coarser
from nndacss.simulate.sky import CLOUD_THICKNESS, Sky
from nndacss.simulate.spectra import NUMBER, band

Layers = dict[str, NDArray[np.uint16] | NDArray[np.uint8]]
"""Band or layer -> (rows, columns) as the archive stores it."""

#: Thicker cloud than this is seen by every classifier, optical thickness.
_THICK = 2.0
#: Share of the light that comes from the sky, as in `atmosphere.Air.diffuse` near 0.6 um.
_SKYLIGHT = 0.2
#: Least normalized difference of plants and of snow, near where SCL's tests have them.
_PLANTS, _SNOW = 0.4, 0.4


@dataclass(frozen=True)
class Weather:
    """What lies between ground and sensor on one date."""

    cover: float
    """Share of cloud, 0 to 1."""
    veils: float
    """Share of the cloud that is high and thin."""
    haze: float
    """What is left of haze, reflectance in the blue."""
    missed: bool
    """Whether SCL and CLD overlook thin cloud."""
    missing: float
    """Share of the chip beyond the edge of the swath."""
    snow: bool
    """Whether fresh snow lies on all but water."""
    seed: int

    @classmethod
    def drawn(cls, day: date, place: str, seed: int, cloudiness: float, cold: float) -> Weather:
        """Weather of a day over a tile; `cloudiness` 0 to 1, `cold` the chance of snow."""
        number = sum(ord(letter) * 131**n for n, letter in enumerate(place)) % 2**31
        draw = np.random.default_rng([seed, number, day.toordinal(), 0x3E])
        clear = draw.random() > cloudiness
        return cls(
            cover=0.0 if clear else float(draw.uniform(0.05, 1.0)),
            veils=float(draw.choice([0.0, 0.3, 1.0], p=[0.4, 0.4, 0.2])),
            haze=float(np.clip(draw.normal(0.004, 0.006), -0.004, 0.03)),
            missed=bool(draw.random() < 0.1),
            missing=float(draw.uniform(0.05, 0.9)) if draw.random() < 0.06 else 0.0,
            snow=bool(draw.random() < cold),
            seed=int(draw.integers(2**31)),
        )


def observe(painter: Painter, day: date, weather: Weather, metres: float = 10.0) -> Layers:
    """What the archive holds of a chip on a day; the same arguments give the same bytes."""
    ground = painter.reflectance(day)
    if weather.snow:
        _snowed(ground, painter)
    thick, high, lit = _sky(painter, day, weather)
    cloud = cloud_reflectance(thick)
    draw = np.random.default_rng([weather.seed, 0x9F])
    gone = _beyond(painter, weather)
    layers: Layers = {}
    for name, role in BANDS.items():
        weights = SENTINEL2.weights.get(role, {role: 1.0})
        below = np.zeros(thick.shape, dtype=np.float32)
        for part, share in weights.items():
            below += np.float32(share) * ground[part]
        white = CLOUD.get("nir08" if role.startswith(("nir", "rede")) else role, 1.0)
        bluish = weather.haze * (0.49 / SENTINEL2.sensor.band(role).wavelength) ** 1.3
        seen = white * cloud + (1 - cloud) ** 2 * below * lit + bluish
        seen = _through_optics(seen.astype(np.float32), role, metres, draw)
        counts = np.clip(np.rint(seen * 10_000), 1, 65534)
        layers[name] = np.where(gone, 0, counts).astype(np.uint16)
    return {**layers, **_quality(painter, layers, (thick, high, lit), weather, gone)}


def _snowed(ground: dict[str, Field], painter: Painter) -> None:
    """Fresh snow on everything but water, with gaps under trees."""
    wave = fractal(painter.x, painter.y, (300.0, 120.0, 50.0), painter.seed + 5)
    woody = painter.classes == LandCover.WOODY
    share = np.where(woody, 0.25, 0.9) / (1 + np.exp(-4 * (wave + 1)))
    share = np.where(painter.classes == LandCover.WATER, 0, share).astype(np.float32)
    for role, below in ground.items():
        first, last = band(role)[:, NUMBER["snow"]]
        ground[role] = (below * (1 - share) + share * (first + last) / 2).astype(np.float32)


def _sky(painter: Painter, day: date, weather: Weather) -> tuple[Field, Field, Field]:
    """Optical thickness of all and of high clouds, and the share of sunlight that arrives."""
    x, y = painter.x, painter.y
    if weather.cover == 0:
        nothing = np.zeros((y.size, x.size), dtype=np.float32)
        return nothing, nothing, nothing + 1
    far = 3000.0
    bounds = float(x.min()) - far, float(y.min()) - far, float(x.max()) + far, float(y.max()) + far
    sky = Sky(weather.seed % 99_991, weather.cover, veils=weather.veils).over(bounds)
    low, high = sky.overhead(x, y)
    up, around = sun(day, painter.latitude)
    lit = sunlight(sky.slant(x, y, max(up, 15.0), around))
    # the sky lights shadows too
    lit = np.float32(_SKYLIGHT) + np.float32(1 - _SKYLIGHT) * lit
    # straight below a cloud its own light counts: shade is what the beam loses elsewhere
    return low + high, high, np.where(low + high > _THICK, 1, lit).astype(np.float32)


def _through_optics(seen: Field, role: str, metres: float, draw: np.random.Generator) -> Field:
    """Blur, coarse pixels and noise of one band."""
    own = SENTINEL2.sensor.band(role).metres
    step = max(1, round(own / metres))
    rows, columns = seen.shape
    spread = np.float32(SENTINEL2.spread[own])
    if step > 1:
        edge = [(0, -rows % step), (0, -columns % step)]
        seen = coarser(np.pad(seen, edge, mode="edge")[None], step)[0]
    for axis in (0, 1):
        near = np.pad(seen, [(1, 1) if n == axis else (0, 0) for n in (0, 1)], mode="edge")
        before, after = (near[:-2], near[2:]) if axis == 0 else (near[:, :-2], near[:, 2:])
        seen = (1 - 2 * spread) * seen + spread * (before + after)
    noise = SENTINEL2.noise[role] * np.sqrt(np.clip(seen, 0.01, None) / 0.1)
    seen = seen + noise * draw.standard_normal(seen.shape, dtype=np.float32)
    fine = np.repeat(np.repeat(seen, step, axis=0), step, axis=1)
    return fine[:rows, :columns].astype(np.float32)


def _beyond(painter: Painter, weather: Weather) -> NDArray[np.bool_]:
    """Pixels beyond the slanting edge of the swath."""
    width = float(np.ptp(painter.x))
    if weather.missing == 0:
        return np.zeros((painter.y.size, painter.x.size), dtype=np.bool_)
    lean = 0.2 * (painter.y - painter.y.mean())
    edge: NDArray[np.bool_] = painter.x - painter.x.min() + lean > (1 - weather.missing) * width
    return edge


def _quality(
    painter: Painter,
    layers: Mapping[str, NDArray[np.uint16] | NDArray[np.uint8]],
    sky: tuple[Field, Field, Field],
    weather: Weather,
    gone: NDArray[np.bool_],
) -> Layers:
    """SCL and CLD at 20 m, repeated at 10 m."""
    thick, high, lit = sky
    found = np.where(thick < _THICK, 0, thick) if weather.missed else thick
    green, red, near, swir = (
        layers[name].astype(np.float32) for name in ("B03", "B04", "B08", "B11")
    )
    cloud = found >= CLOUD_THICKNESS
    codes = np.select(
        [
            gone,
            cloud & (2 * high > thick),
            cloud & (found < _THICK),
            cloud,
            (lit < 0.8) & (thick < CLOUD_THICKNESS),
            (_difference(green, swir) > _SNOW) & (red > 2500),
            (_difference(green, near) > 0) & (near < 1500),
            _difference(near, red) > _PLANTS,
        ],
        [0, 10, 8, 9, 3, 11, 6, 4],
        5,
    )
    chance = np.clip(115 * cloud_reflectance(found) / 0.6, 0, 100)
    chance += 4 * (fractal(painter.x, painter.y, (200.0, 60.0), painter.seed + 6) > 1.5)
    percent = np.where(gone, 255, np.clip(np.rint(chance), 0, 100))
    return {SCL: _coarse(codes), CLD: _coarse(percent)}


def _difference(one: Field, other: Field) -> Field:
    result: Field = (one - other) / np.maximum(one + other, 1)
    return result


def _coarse(codes: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Every second pixel, repeated."""
    rows, columns = codes.shape
    half = codes[::2, ::2].astype(np.uint8)
    return np.repeat(np.repeat(half, 2, axis=0), 2, axis=1)[:rows, :columns]
