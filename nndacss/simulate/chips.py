"""Chips: small pieces of simulated scenes as arrays, everything drawn from one seed.

    chip = chip(7, "sentinel2_msi", "TOA", 10, 256, 256)
    chip.pixels, chip.labels, chip.thickness

A chip has the same pixels as a written scene of the same world, up to counting in whole numbers,
when `metres` is the band's own: the same functions make both. Bands of other pixel sizes are
brought to `metres` as a reader would: coarser pixels by cubic convolution, finer ones by means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nndacss.errors import SettingsError, complain
from nndacss.sensors import REFLECTIVE
from nndacss.simulate.atmosphere import beam
from nndacss.simulate.landscape import Landscape
from nndacss.simulate.msi import BASE, MsiView
from nndacss.simulate.noise import Coordinates, Field
from nndacss.simulate.optics import SENTINEL2, Look, optics
from nndacss.simulate.quality import Mask, labels, snow_and_water
from nndacss.simulate.sampling import Grid, Window, centres, coarser
from nndacss.simulate.seeing import REFERENCE, Eye, World
from nndacss.simulate.sky import Sky
from nndacss.simulate.view import View

Level = Literal["TOA", "SR"]

#: Chips lie in one UTM zone; nothing depends on which.
_CODE = 32632


@dataclass(frozen=True)
class Moment:
    """A place, a time and a sky; every field can be replaced."""

    seed: int
    west: float
    north: float
    """Outer edge of the upper left pixel, metres, on the 60 m lattice."""
    sun_elevation: float
    sun_azimuth: float
    """Degrees; azimuth clockwise from north."""
    cover: float
    """Share of clouds, 0 to 1."""
    altitude: float
    """Height of the low clouds, metres."""
    haze: float
    """Optical thickness at 0.55 um."""
    veils: float
    """Share of the clouds that is high and thin."""
    snow_line: float
    """Metres."""
    view_zenith: float
    view_azimuth: float
    """Degrees, from the ground to the sensor."""

    def snapped(self) -> Moment:
        """The same, a little to the north-west, on the 60 m lattice."""
        west, north = BASE * floor(self.west / BASE), BASE * ceil(self.north / BASE)
        return replace(self, west=float(west), north=float(north))

    def world(self, bounds: tuple[float, float, float, float]) -> World:
        """Ground and sky; the sky has its cover over `bounds` (west, south, east, north)."""
        ground = Landscape(self.seed, self.sun_elevation, self.sun_azimuth, self.snow_line)
        sky = Sky(self.seed, self.cover, self.altitude, self.haze, self.veils).over(bounds)
        return World(ground, sky, self.sun_elevation, self.sun_azimuth)


@dataclass(frozen=True)
class Chip:
    """One chip; arrays are (rows, columns) unless stated."""

    pixels: NDArray[np.float32]
    """(6, rows, columns) reflectance in the order of `roles`; NaN would be missing, none is."""
    labels: NDArray[np.uint8]
    """0 clear, 1 shadow, 2 snow, 3 cloud, 255 missing (see `quality.labels`)."""
    thickness: NDArray[np.float32]
    """Cloud optical thickness at 0.55 um before the pixel."""
    beam_loss: NDArray[np.float32]
    """Share of the sun's direct beam that clouds take, 0 to 1."""
    snow: Mask
    """Snow on the ground, also below clouds and in shadows."""
    water: Mask
    """Open water, likewise."""
    sun_elevation: float
    sun_azimuth: float
    """Degrees."""
    metres: float
    sensor: str
    level: str
    roles: tuple[str, ...] = REFLECTIVE


def moment(seed: int) -> Moment:
    """What a seed draws: another place, sun, sky and season for each.

    Half the places are northern (sun in the south-east), half southern (in the north-east). Snow
    lies on heights, on one place in seven down to the plains. Skies are one quarter nearly clear
    (cover up to 0.15), the rest anything up to 0.95.
    """
    draw = np.random.default_rng([seed, 0xC41B])
    southern = bool(draw.random() < 0.5)
    north = 60.0 * int(draw.integers(10_000, 100_000)) * (-1 if southern else 1)
    return Moment(
        seed=seed,
        west=60.0 * int(draw.integers(4_000, 12_000)),
        north=north,
        sun_elevation=float(draw.uniform(20, 70)),
        sun_azimuth=float(draw.uniform(5, 80) if southern else draw.uniform(100, 175)),
        cover=float(draw.uniform(0, 0.15) if draw.random() < 1 / 4 else draw.uniform(0.1, 0.95)),
        altitude=float(draw.uniform(500, 3500)),
        haze=float(min(0.5, 0.04 + draw.gamma(1.5, 0.05))),
        veils=float(draw.choice([0.0, 0.2, 0.5, 1.0], p=[0.2, 0.45, 0.25, 0.1])),
        snow_line=float(draw.uniform(*((220, 420) if draw.random() < 1 / 7 else (700, 2400)))),
        view_zenith=float(draw.uniform(0, 9)),
        view_azimuth=float(draw.choice([100.0, 285.0])),
    )


def chip(
    seed: int,
    sensor: str,
    level: Level,
    metres: float,
    rows: int,
    columns: int,
    **drawn: Any,
) -> Chip:
    """One chip of `rows` x `columns` pixels of `metres`.

    `sensor` is `landsat8_oli` or `sentinel2_msi`, `level` TOA or SR (SR is what a maker gets back
    who knows the mean haze). `metres` is 10, 20 or 30. What `moment(seed)` draws can be given by
    name: `cover`, `altitude`, `haze`, `veils`, `snow_line`, `sun_elevation`, `sun_azimuth`, `west`,
    `north`, `view_zenith`, `view_azimuth`. The same arguments give the same chip; the same seed
    gives the same ground and sky to both sensors where `metres * rows` and `columns` agree.
    A wrong argument is a SettingsError.
    """
    _check(sensor, level, metres, rows, columns)
    try:
        asked = replace(moment(seed), **drawn).snapped()
    except TypeError as error:
        names = "fields of Moment"
        raise SettingsError(complain("chip", str(error), names, "correct the name")) from error
    size = int(metres)
    shift = 15 if (sensor, size) == ("landsat8_oli", 30) else 0
    frame = Grid(asked.west - shift, asked.north + shift, rows, columns, _CODE, size)
    world = asked.world(Grid(asked.west, asked.north, rows, columns, _CODE, size).bounds)
    look = Look(optics(sensor), asked.view_zenith, asked.view_azimuth)
    eye = Eye(world, look, seed)
    tops, snow, water = (_landsat if sensor == "landsat8_oli" else _sentinel2)(eye, frame)
    if level == "SR":
        tops = {role: eye.surface(role, top) for role, top in tops.items()}
    at = centres(frame, Window(0, rows, 0, columns))
    light = eye.overcast(*at).light(REFERENCE, *at)
    return Chip(
        pixels=np.stack([tops[role] for role in REFLECTIVE]),
        labels=labels(light.thickness, light.slant, snow, np.zeros_like(snow)),
        thickness=light.thickness,
        beam_loss=1 - beam(light.slant),
        snow=snow,
        water=water,
        sun_elevation=asked.sun_elevation,
        sun_azimuth=asked.sun_azimuth,
        metres=float(metres),
        sensor=sensor,
        level=level,
    )


def _check(sensor: str, level: str, metres: float, rows: int, columns: int) -> None:
    for name, found, known in (
        ("sensor", sensor, ("landsat8_oli", "sentinel2_msi")),
        ("level", level, ("TOA", "SR")),
        ("metres", metres, (10, 20, 30)),
    ):
        if found not in known:
            expected = " or ".join(str(value) for value in known)
            raise SettingsError(complain(name, repr(found), expected, "choose one of these"))
    if min(rows, columns) < 8:
        found = f"{rows} x {columns} pixels"
        raise SettingsError(complain("chip", found, "8 x 8 or more", "enlarge it"))


def _landsat(eye: Eye, frame: Grid) -> tuple[dict[str, Field], Mask, Mask]:
    """The bands, the snow and the water on the pixels of `frame`."""
    # Two pixels around the frame for the cubic kernel.
    west, south, east, north = frame.bounds
    left, top = (30 * floor((edge - 15) / 30) + 15 for edge in (west, north + 30))
    rows, columns = ceil((top - south) / 30), ceil((east - left) / 30)
    grid = Grid(left - 60, top + 60, rows + 4, columns + 4, _CODE)
    seen = View(grid, eye, 8, None).seen(Window(0, grid.rows, 0, grid.columns), REFLECTIVE)
    ground = snow_and_water(seen.ground[2], seen.ground[4], seen.ground[5])
    tops = {role: _brought(top, grid, 1, frame) for role, top in seen.tops.items()}
    snow, water = (_most(mask, grid, 1, frame) for mask in ground)
    return tops, snow, water


def _sentinel2(eye: Eye, frame: Grid) -> tuple[dict[str, Field], Mask, Mask]:
    """The bands, the snow and the water on the pixels of `frame`."""
    rows, columns = (ceil(n * frame.metres / BASE) + 2 for n in (frame.rows, frame.columns))
    grid = Grid(frame.west - BASE, frame.north + BASE, rows, columns, _CODE, BASE)
    seen = MsiView(grid, eye).seen(Window(0, rows, 0, columns), REFLECTIVE)
    parts = {role: BASE // SENTINEL2.sensor.band(role).metres for role in REFLECTIVE}
    tops = {role: _brought(top, grid, parts[role], frame) for role, top in seen.tops.items()}
    snow, water = (_most(mask, grid, 6, frame) for mask in (seen.snow, seen.water))
    return tops, snow, water


def _most(mask: Mask, grid: Grid, fine: int, frame: Grid) -> Mask:
    """A mask on the pixels of a frame: where it holds on half a pixel or more, see `_brought`."""
    held: Mask = _brought(mask.astype(np.float32), grid, fine, frame) >= 0.5
    return held


def _brought(field: Field, grid: Grid, fine: int, frame: Grid) -> Field:
    """A field on a grid's pixels, `fine` to each, on the pixels of a frame inside it.

    Finer fields by means over whole pixels, coarser ones by cubic convolution.
    """
    step = grid.metres / fine
    if frame.metres > step and frame.metres % step:
        halves = replace(frame, rows=3 * frame.rows, columns=3 * frame.columns, metres=10.0)
        means: Field = coarser(_brought(field, grid, fine, halves)[None], 3)[0]
        return means
    if frame.metres >= step:
        size = round(frame.metres / step)
        top, left = round((grid.north - frame.north) / step), round((frame.west - grid.west) / step)
        part = field[top : top + size * frame.rows, left : left + size * frame.columns]
        exact: Field = coarser(np.ascontiguousarray(part)[None], size)[0]
        return exact
    x, y = centres(frame, Window(0, frame.rows, 0, frame.columns))
    return _cubic(_cubic(field, (grid.north - y[:, 0]) / step).T, (x[0] - grid.west) / step).T


def _cubic(field: Field, at: Coordinates) -> Field:
    """Rows of a field at positions in pixels from its upper edge, by Keys' kernel (a = -0.5)."""
    number = np.floor(at - 0.5)
    first, t = number.astype(np.int64) - 1, (at - 0.5 - number).astype(np.float32)[:, None]
    weights = (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    total: Field = np.zeros((at.size, field.shape[1]), dtype=np.float32)
    for n, weight in enumerate(weights):
        total += weight.astype(np.float32) * field.take(first + n, axis=0)
    return total
