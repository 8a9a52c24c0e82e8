"""What land-cover classes look like through the year: surface reflectance painted on labels.

A class is a mixture of the twin's materials that changes with the season: parcels that are sown,
green, ripe and fallow at their own times; grass that dries; leaves that fall. A tile is a country
of its own (how dry, how evergreen, how stony, its tints and its hills), so that two tiles differ
more than two chips of one tile do. It is a stand-in to try programs on: figures measured on it say
nothing about the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import asin, atan2, cos, degrees, pi, radians, sin
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nndacss.labels.land_cover import LandCover
from nndacss.simulate.noise import Coordinates, Field, fractal, mixed, rough, unit
from nndacss.simulate.parcels import blocks
from nndacss.simulate.spectra import MATERIALS, NUMBER, ROLES, band

#: Degrees of latitude beyond which warmth makes the season, and before which rain does.
_TROPICS = 25.0
#: Days of the year when plants are greenest, north of the equator: July; after the rains.
_SUMMER, _RAINS = 196, 240
#: Brightness of the grain per class, share of its reflectance (half range).
_GRAIN = {
    LandCover.WATER: 0.03,
    LandCover.ARTIFICIAL: 0.22,
    LandCover.NATURAL_BARE: 0.10,
    LandCover.SNOW_ICE: 0.04,
    LandCover.WOODY: 0.22,
    LandCover.CULTIVATED: 0.10,
    LandCover.NATURAL_VEGETATION: 0.14,
}
#: Share of a slope's shade that terrain correction leaves in L2A images.
_SHADE_LEFT = 0.6

Shares = dict[str, Field]
"""Material -> its share of each pixel."""


@dataclass(frozen=True)
class Country:
    """What the chips of one tile have in common; shares are 0 to 1."""

    dry: float
    evergreen: float
    stony: float
    turbid: float
    sown: float
    """Days by which crops are later than elsewhere."""
    hills: float
    """Metres, standard deviation of altitude."""
    tints: NDArray[np.float32]
    """(bands, materials) factor on reflectance."""

    @classmethod
    def drawn(cls, tile: str, seed: int) -> Country:
        """What a tile's name draws."""
        draw = np.random.default_rng([seed, crc32(tile.encode()), 0x1C])
        materials = len(MATERIALS)
        # brightness, and a tilt from the first to the last band
        bright, tilt = draw.normal(0, (0.18, 0.12), (materials, 2)).T
        slope = np.linspace(-1, 1, len(ROLES))[:, None]
        return cls(
            dry=float(draw.beta(1.5, 1.5)),
            evergreen=float(draw.beta(0.8, 0.8)),
            stony=float(draw.beta(0.8, 0.8)),
            turbid=float(draw.uniform()),
            sown=float(draw.uniform(-40, 40)),
            hills=float(draw.gamma(1.5, 15)),
            tints=np.exp(bright + slope * tilt).astype(np.float32),
        )


def greenness(day: float, latitude: float) -> float:
    """How green plants are, 0 to 1; `day` of the year, `latitude` in degrees.

    >>> round(greenness(196, 50), 2), round(greenness(15, 50), 2), round(greenness(15, -50), 2)
    (1.0, 0.0, 1.0)
    """
    peak = _SUMMER if abs(latitude) > _TROPICS else _RAINS
    late = peak if latitude >= 0 else peak - 182.5
    swing = min(1.0, 0.3 + abs(latitude) / _TROPICS)
    return 0.5 + 0.5 * swing * cos(2 * pi * (day - late) / 365)


def sun(day: date, latitude: float) -> tuple[float, float]:
    """Elevation and azimuth of the sun in degrees at half past ten, when Sentinel-2 passes.

    >>> [round(angle) for angle in sun(date(2018, 6, 21), 50.0)]
    [58, 138]
    """
    declination = radians(23.45) * sin(2 * pi * (day.timetuple().tm_yday - 81) / 365)
    place, hour = radians(latitude), radians(-22.5)
    up = asin(sin(place) * sin(declination) + cos(place) * cos(declination) * cos(hour))
    south = atan2(
        sin(hour), cos(hour) * sin(place) - (sin(declination) / cos(declination)) * cos(place)
    )
    return degrees(up), (degrees(south) + 180) % 360


@dataclass(frozen=True)
class Painter:
    """The ground of one chip."""

    classes: NDArray[np.uint8]
    """(rows, columns) codes of `LandCover`, 0 to 6, what is really there."""
    x: Coordinates
    y: Coordinates
    """(1, columns) and (rows, 1) map coordinates of pixel centres, metres."""
    country: Country
    latitude: float
    seed: int
    """Of the tile: texture runs on over the borders of its chips."""

    def reflectance(self, day: date) -> dict[str, Field]:
        """Band -> (rows, columns) surface reflectance, in the bands of `spectra.ROLES`."""
        shares = self._shares(day.timetuple().tm_yday)
        fine = rough(self.x, self.y, 11.0, self.seed + 1)
        coarse = fractal(self.x, self.y, (130.0, 60.0, 30.0), self.seed + 2)
        grain = np.select([self.classes == one for one in _GRAIN], list(_GRAIN.values()), 0.0)
        light = self._light(day) * (1 + grain * (0.6 * fine + 0.3 * coarse))
        place = np.clip(self._place() + 0.16 * coarse, 0, 1).astype(np.float32)
        result = {}
        for number, role in enumerate(ROLES):
            first, last = band(role) * self.country.tints[number]
            total = np.zeros(self.classes.shape, dtype=np.float32)
            for material, share in shares.items():
                at = NUMBER[material]
                total += share * (first[at] + (last[at] - first[at]) * place)
            result[role] = (total * light).astype(np.float32)
        return result

    def _place(self) -> Field:
        """Between the two ends of a material, by the country."""
        wave = fractal(self.x, self.y, (2600.0, 900.0), self.seed + 3)
        water = self.classes == LandCover.WATER
        return np.where(water, self.country.turbid, 0.5 + 0.12 * wave).astype(np.float32)

    def _shares(self, day: int) -> Shares:
        """What each pixel is made of on a day of the year."""
        green = greenness(day, self.latitude)
        parts: Mapping[LandCover, Shares] = {
            LandCover.WATER: {"water": _whole(self.classes)},
            LandCover.ARTIFICIAL: self._built(),
            LandCover.NATURAL_BARE: self._bare(),
            LandCover.SNOW_ICE: self._either("snow", "ice", 0.3, self.seed + 20),
            LandCover.WOODY: self._woody(green),
            LandCover.CULTIVATED: self._crops(day),
            LandCover.NATURAL_VEGETATION: self._wild(green),
        }
        result: Shares = {}
        for code, shares in parts.items():
            here = self.classes == code
            if here.any():
                for material, share in shares.items():
                    before = result.get(material, np.float32(0))
                    result[material] = np.where(here, share, before).astype(np.float32)
        return result

    def _either(self, first: str, second: str, share: float, seed: int) -> Shares:
        """Two materials in soft patches; `share` of the second."""
        wave = fractal(self.x, self.y, (420.0, 200.0, 90.0), seed)
        much = 1 / (1 + np.exp(-3 * (wave + _quantile(share))))
        return {first: (1 - much).astype(np.float32), second: much.astype(np.float32)}

    def _built(self) -> Shares:
        """Roofs, streets and yards, about 30 m wide."""
        lots = unit(mixed(*_cells(self.x, self.y, 30.0), self.seed + 21))
        yard = 0.15 * _whole(self.classes)
        kinds = {"tiled roof": (0.0, 0.3), "asphalt": (0.3, 0.75), "bright roof": (0.75, 1.0)}
        shares = {
            name: ((low <= lots) & (lots < high)).astype(np.float32) * np.float32(0.85)
            for name, (low, high) in kinds.items()
        }
        return {**shares, "bare soil": yard}

    def _bare(self) -> Shares:
        return self._either("sand", "rock", self.country.stony, self.seed + 22)

    def _woody(self, green: float) -> Shares:
        """Needles stay, leaves come and go, and show what grows below."""
        needles = self._either("broadleaf", "conifer", self.country.evergreen, self.seed + 23)
        leaf = 0.35 + 0.65 * green
        broad = needles["broadleaf"]
        return {
            "conifer": needles["conifer"],
            "broadleaf": (broad * leaf).astype(np.float32),
            "shrub": (broad * (1 - leaf)).astype(np.float32),
        }

    def _wild(self, green: float) -> Shares:
        """Grass that dries to steppe, with shrubs."""
        bushes = self._either("open", "shrub", 0.3, self.seed + 24)
        fresh = float(np.clip(green * (1.15 - 0.8 * self.country.dry), 0, 1))
        return {
            "shrub": bushes["shrub"],
            "grass": (bushes["open"] * fresh).astype(np.float32),
            "steppe": (bushes["open"] * (1 - fresh)).astype(np.float32),
        }

    def _crops(self, day: int) -> Shares:
        """Parcels, each with its own time: bare, green, ripe."""
        land = blocks(self.x, self.y, self.seed + 25)
        strip = np.floor(land.across / 70).astype(np.int64)
        piece = np.floor(land.along / 190).astype(np.int64)
        lot = mixed(strip * 4099 + piece, land.chosen, self.seed + 26)
        # one parcel in seven lies fallow
        fallow, shift = unit(mixed(lot, 1, 0)) < 1 / 7, 90 * (unit(mixed(lot, 2, 0)) - 0.5)
        turn = (day - self.country.sown - shift).astype(np.float32)
        now, soon = self._greenness(turn), self._greenness(turn + 5)
        grown = np.where(fallow, 0, np.clip((now - 0.3) / 0.5, 0, 1))
        ripe = np.where(
            (soon < now) & ~fallow, np.clip((0.95 - grown) * 1.3, 0, 1) * (1 - grown), 0
        )
        stubble = ripe * np.clip(now / 0.3, 0, 1)
        return {
            "green crop": grown.astype(np.float32),
            "ripe crop": stubble.astype(np.float32),
            "bare soil": (1 - grown - stubble).astype(np.float32),
        }

    def _greenness(self, days: Field) -> Field:
        """`greenness` of many days at once."""
        top, low = greenness(196, 50), greenness(196 + 182.5, 50)
        peak = _SUMMER if abs(self.latitude) > _TROPICS else _RAINS
        late = peak if self.latitude >= 0 else peak - 182.5
        wave = (top + low) / 2 + (top - low) / 2 * np.cos(2 * np.pi * (days - late) / 365)
        return wave.astype(np.float32)

    def _light(self, day: date) -> Field:
        """Sunlight on the slope over sunlight on level ground, as L2A leaves it."""
        up, around = (radians(angle) for angle in sun(day, self.latitude))
        step = 10.0
        x = np.concatenate([self.x[:, :1] - step, self.x, self.x[:, -1:] + step], axis=1)
        y = np.concatenate([self.y[:1] + step, self.y, self.y[-1:] - step])
        height = self.country.hills * fractal(x, y, (2600.0, 1200.0, 560.0, 270.0), self.seed + 4)
        east = (height[1:-1, 2:] - height[1:-1, :-2]) / (2 * step)
        north = (height[:-2, 1:-1] - height[2:, 1:-1]) / (2 * step)
        towards = sin(up) - cos(up) * (sin(around) * east + cos(around) * north)
        facing = towards / np.sqrt(1 + east**2 + north**2) / max(sin(up), 0.2)
        flat = (self.classes == LandCover.WATER) | (self.classes == LandCover.SNOW_ICE)
        shade = 1 + _SHADE_LEFT * (np.clip(facing, 0.3, 1.6) - 1)
        return np.where(flat, 1.0, shade).astype(np.float32)


def _whole(like: NDArray[np.uint8]) -> Field:
    return np.ones(like.shape, dtype=np.float32)


def _cells(
    x: Coordinates, y: Coordinates, step: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    columns, rows = np.floor(x / step).astype(np.int64), np.floor(y / step).astype(np.int64)
    shape = np.broadcast_shapes(x.shape, y.shape)
    return np.broadcast_to(columns, shape), np.broadcast_to(rows, shape)


def _quantile(share: float) -> float:
    """Where a unit normal field must be lifted to for `share` of it to be positive, roughly."""
    held = min(max(share, 0.02), 0.98)
    return float(np.log(held / (1 - held)) / 1.7)
