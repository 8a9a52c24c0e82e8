"""A ground to look at: fields, forest, river, towns, roads, gravel, and snow on the heights.

`Landscape(seed).reflectance(x, y, roles)` is surface reflectance at any map coordinate, a pure
function of seed and coordinates. Wide fields (relief, forest density, river) are computed on the
map's 30 m lattice and joined by straight lines; parcels, streets, hedges, crowns and the grain
of surfaces are computed at each place, so that a 15 m band sees more than a 30 m band.

Any object with the same `reflectance` can stand in its place, see `Ground` and `targets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from nndacss.simulate import spectra
from nndacss.simulate.noise import Coordinates, Field, Mesh, broad, fractal, mixed, rough, unit
from nndacss.simulate.parcels import Blocks, blocks, parcels
from nndacss.simulate.region import SEASONS, Classes, Region, numbers

N = spectra.NUMBER


#: Sunlight on the brightest slope over sunlight on level ground; low suns would give more, but
#: snow of more than 1.4 is rare in real scenes.
_STEEPEST = 1.5

#: Metres between the points where wide fields are computed.
_LATTICE = 30.0


#: What a lot of a town holds, one entry a share of one eighth.
_LOTS = numbers(
    *("tiled roof", "tiled roof", "tiled roof", "asphalt"),
    *("asphalt", "grass", "broadleaf", "bright roof"),
)

#: Brightness of the grain per material: share of its reflectance, half range.
_GRAIN = np.full(len(N), 0.11, dtype=np.float32)
_GRAIN[[N["conifer"], N["broadleaf"]]] = 0.25
_GRAIN[[N["asphalt"], N["tiled roof"], N["bright roof"]]] = 0.15
_GRAIN[[N["rock"]]] = 0.25
_GRAIN[[N["water"], N["snow"], N["ice"]]] = 0.03
_GRAIN[[N["steppe"], N["sand"]]] = 0.08


class Ground(Protocol):
    """Anything that can be looked at.

    A ground may also have `mean(x, y, width, roles)`, the exact mean over squares of `width`
    metres centred on `x`, `y`; it is then taken instead of samples.
    """

    def reflectance(self, x: Coordinates, y: Coordinates, roles: Sequence[str]) -> Field:
        """(bands, ...) surface reflectance at map coordinates in metres, which broadcast."""
        ...


@dataclass(frozen=True)
class Wide:
    """Fields that change over hundreds of metres."""

    altitude: Field
    """Metres."""
    light: Field
    """Sunlight on the slope over sunlight on level ground."""
    river: Field
    """Metres to the middle of the nearest river."""
    road: Field
    """Metres to the middle of the nearest main road."""
    forest: Field
    """Forest where positive; about N(-0.3, 1)."""
    town: Field
    """Town where positive."""
    gravel: Field
    """Gravel and sand near the river where positive."""
    lake: Field
    """Lake where positive."""
    dry: Field
    """How dry the land is, about N(0, 1)."""


@dataclass(frozen=True)
class Landscape:
    """The ground of one seed, lit by one sun."""

    seed: int = 0
    sun_elevation: float = 45.0
    """Degrees above the horizon; shades the relief."""
    sun_azimuth: float = 150.0
    """Degrees clockwise from north."""
    snow_line: float = 1500.0
    """Metres of altitude above which snow lies."""

    @cached_property
    def region(self) -> Region:
        """What kind of country it is."""
        return Region.drawn(self.seed)

    def reflectance(self, x: Coordinates, y: Coordinates, roles: Sequence[str]) -> Field:
        """(bands, ...) surface reflectance at map coordinates in metres, which broadcast."""
        wide = self.wide(x, y)
        fine = rough(x, y, 11.0, self.seed + 11)
        coarse = rough(x, y, 47.0, self.seed + 12)
        material, place = self._materials(wide, self._land(x, y), fine, coarse)
        place = np.clip(place + np.float32(0.25) * coarse, 0, 1)
        grain = np.float32(0.6) * fine + np.float32(0.4) * coarse
        light = wide.light * (1 + _GRAIN.take(material) * grain)
        result = np.empty((len(roles), *light.shape), dtype=np.float32)
        for out, role in zip(result, roles, strict=True):
            first, last = spectra.band(role)
            np.multiply((last - first).take(material), place, out=out)
            out += first.take(material)
            out *= light
        return result

    def materials(self, x: Coordinates, y: Coordinates) -> Classes:
        """The material of each place, by its number in `spectra.NUMBER`."""
        fine = rough(x, y, 11.0, self.seed + 11)
        coarse = rough(x, y, 47.0, self.seed + 12)
        return self._materials(self.wide(x, y), self._land(x, y), fine, coarse)[0]

    def _land(self, x: Coordinates, y: Coordinates) -> Blocks:
        """The blocks of farm land, as large as the region's fields; metres are real ones."""
        size = self.region.fields
        land = blocks(x / size, y / size, self.seed + 13)
        along, across, border = (
            part * np.float32(size) for part in (land.along, land.across, land.border)
        )
        return Blocks(land.chosen, along, across, border)

    def altitude(self, x: Coordinates, y: Coordinates) -> Field:
        """Metres above the sea."""
        return self.wide(x, y).altitude

    def wide(self, x: Coordinates, y: Coordinates) -> Wide:
        """The wide fields, from the 30 m lattice."""
        mesh = Mesh(x, y, _LATTICE, margin=2)
        at = mesh.x, mesh.y
        course = broad(*at, (7000, 3100, 1300), self.seed + 1, 0.42)
        river = _distance(course, _LATTICE)
        road = _distance(broad(*at, (5200, 2600), self.seed + 2, 0.2), _LATTICE)
        forest = fractal(*at, (2300, 1100, 520, 260, 120), self.seed + 3, 0.62)
        town = fractal(*at, (2100, 900, 350), self.seed + 4, 0.5)
        gravel = fractal(*at, (900, 400, 150), self.seed + 5, 0.6)
        lake = fractal(*at, (1700, 700, 300), self.seed + 8, 0.4)
        dry = fractal(*at, (5000, 2100, 900, 380, 160), self.seed + 9, 0.55)
        height, mountain = self._relief(at, _inner(np.abs(course)))
        region = self.region
        bank: Field = np.float32(1 / 90) * np.abs(river)
        parts: tuple[Field, ...] = (
            height,
            np.pad(_light(height, _LATTICE, self.sun_elevation, self.sun_azimuth), 1),
            river,
            road,
            _inner(forest) + mountain * np.float32(1.6) + np.float32(region.wooded - 0.55),
            _inner(town) - mountain * np.float32(6) + np.float32(region.settled - 1.15),
            _inner(gravel) - bank - np.float32(0.5),
            _inner(lake) - mountain * np.float32(9) + np.float32(region.wet - 1.9),
            _inner(dry),
        )
        height, light, river, road, *rest = (mesh.through(_inner(part)) for part in parts)
        return Wide(height, light, np.abs(river), np.abs(road), *rest)

    def _relief(self, at: tuple[Coordinates, Coordinates], course: Field) -> tuple[Field, Field]:
        """Altitude in metres, and how much of a mountain each place is (0 to 1).

        `course` is how far a place is from the rivers, in their field's own units; rivers run
        through valleys. One lattice point less than `at` on every side.
        """
        swell = _inner(broad(*at, (9000, 4200, 1700), self.seed + 6, 0.4))
        ridges = _inner(fractal(*at, (2600, 1200, 560, 270, 130), self.seed + 7, 0.44))
        mountain = _step(swell, 0.1, 1.5) * _step(course, 0.05, 0.7)
        height = 260 + 30 * ridges + mountain * (1250 + 420 * ridges)
        return height.astype(np.float32), mountain

    def _materials(
        self, wide: Wide, land: Blocks, fine: Field, coarse: Field
    ) -> tuple[Classes, Field]:
        """The material of each place, and where it lies between its two ends (0 to 1)."""
        parcel = parcels(land, self.region.fields)
        material = SEASONS[self.region.season].take(parcel.chosen & np.uint32(7))
        place = np.float32(0.5) + np.float32(self.region.contrast) * (unit(parcel.chosen) - 0.5)
        hedged = (land.chosen & np.uint32(3)) == 0
        material[(parcel.edge < 5) & hedged] = N["broadleaf"]
        material[land.border < 4] = N["bare soil"]
        meadow = (wide.altitude + 150 * coarse > 620) | (wide.river + 60 * coarse < 160)
        material[meadow] = N["grass"]
        wood = wide.forest + np.float32(0.15) * fine + np.float32(0.1) * coarse > 0
        conifer = wide.altitude + 250 * coarse > 560
        material[wood] = np.where(conifer, N["conifer"], N["broadleaf"])[wood]
        np.copyto(place, np.float32(0.5) + np.float32(0.6) * wide.forest - 0.3, where=wood)
        self._parch(material, place, wide, coarse)
        self._build(material, place, wide, land)
        patchy = wide.altitude + 60 * wide.dry + 40 * coarse
        bare = patchy + 40 * fine > max(self.snow_line - 220, 650)
        material[bare] = N["rock"]
        material[(wide.road < 9) & ~bare] = N["asphalt"]
        material[(wide.gravel > 0) & (wide.altitude < 600)] = N["sand"]
        wet = (wide.river < 38) | (wide.lake > 0)
        material[wet] = N["water"]
        clear = np.float32(0.5) * np.clip(wide.lake, 0, 1)
        np.copyto(place, np.float32(self.region.turbid + 0.1) - clear, where=wet)
        snow = patchy + 10 * fine > self.snow_line
        material[snow] = N["snow"]
        np.copyto(place, (wide.altitude - self.snow_line) * np.float32(0.003), where=snow)
        low = wide.altitude + 40 * coarse < self.snow_line + 110
        material[snow & low & (wide.dry > 0.2) & (wide.altitude > 700)] = N["ice"]
        return material, place

    def _parch(self, material: Classes, place: Field, wide: Wide, coarse: Field) -> None:
        """Dry land: shrub, steppe and sand, from the moist side to the driest."""
        region = self.region
        if region.dry == 0:
            return
        dry = wide.dry + np.float32(0.15) * coarse + np.float32(6 * region.dry - 3)
        kinds = numbers("shrub", "steppe", "sand")
        steps = (0.0, 1.6 - region.bare, 4.4 - 2.6 * region.bare)
        for kind, step in zip(kinds, steps, strict=True):
            material[dry > step] = kind
        np.copyto(place, np.float32(0.4) + np.float32(0.22) * wide.dry, where=dry > 0)

    def _build(self, material: Classes, place: Field, wide: Wide, land: Blocks) -> None:
        """Towns: lots of 18 m by 26 m between streets, in the directions of the farm land."""
        town = np.nonzero(wide.town > 0)
        chosen, dense = land.chosen[town], wide.town[town]
        along, across = land.along[town] / np.float32(26), land.across[town] / np.float32(18)
        column, row = np.floor(along), np.floor(across)
        lot = mixed(mixed(chosen, column.astype(np.int32), 8), row.astype(np.int32), 9)
        kind = _LOTS.take(lot & np.uint32(7))
        open_land = unit(lot) > np.float32(0.25) + np.float32(1.6) * dense
        kind[open_land] = N["grass"]
        kind[(np.mod(row, 4) == 0) | (np.mod(column, 5) == 0)] = N["asphalt"]
        material[town] = kind
        place[town] = unit(mixed(lot, 1, 10))


def _step(value: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    result: Field = share * share * (3 - 2 * share)
    return result


def _inner(table: Field) -> Field:
    return table[1:-1, 1:-1]


def _slopes(table: Field, step: float) -> tuple[Field, Field]:
    """Rise per metre to the east and to the north, one lattice point less on every side.

    Rows of a mesh run north (their numbers grow with y).
    """
    east = (table[1:-1, 2:] - table[1:-1, :-2]) * np.float32(0.5 / step)
    north = (table[2:, 1:-1] - table[:-2, 1:-1]) * np.float32(0.5 / step)
    return east, north


def _distance(table: Field, step: float) -> Field:
    """Metres to the zero line of a field, to first order; negative on one side of it."""
    east, north = _slopes(table, step)
    steep = np.sqrt(east * east + north * north)
    metres: Field = np.clip(_inner(table) / np.maximum(steep, np.float32(2e-5)), -9000, 9000)
    return metres


def _light(height: Field, step: float, elevation: float, azimuth: float) -> Field:
    """Cosine of the sun's angle to the slope over that to level ground; a fifth is sky light."""
    east, north = _slopes(height, step)
    up, around = np.radians(elevation), np.radians(azimuth)
    level = np.float32(np.sin(up))
    to_east, to_north = (
        np.float32(np.cos(up) * np.sin(around)),
        np.float32(np.cos(up) * np.cos(around)),
    )
    facing = (level - east * to_east - north * to_north) / np.sqrt(1 + east * east + north * north)
    sunny: Field = np.clip(facing / level, 0, np.float32(_STEEPEST))
    return np.float32(0.2) + np.float32(0.8) * sunny
