"""Simulated pairs: one place and moment through both sensors' responses, optics and noise.

Every seed is another ground, sun, season and haze under a clear sky (`nndacss.simulate.chips`).
The input is Landsat as its products hold it: six bands of surface reflectance at 30 m and pan at
15 m at the top of the atmosphere, haze and all. The target is what a Sentinel-2 would see whose
six bands all had the pixels and the sharpness of its 10 m bands: the simulated ground is known at
any scale, so B8A, B11 and B12 have a truth at 10 m here, which no real scene gives them
(`coarse_truth` is false). Surface reflectance on both sides is what a maker gets back who knows
the mean haze only.

A figure on these pairs is a figure on simulated data. Part of this project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np

from nndacss.errors import SettingsError, complain
from nndacss.harmonize.spectral import Spectral
from nndacss.pairs.kinds import Twin
from nndacss.pairs.lattice import CRS, EDGE, Plane, on_tens, tens
from nndacss.pairs.response import drawn
from nndacss.pairs.source import INPUTS, METRES, ROLES, Pair, PairRecord
from nndacss.raster import Pixels
from nndacss.simulate.chips import moment
from nndacss.simulate.msi import BASE
from nndacss.simulate.optics import LANDSAT, SENTINEL2, Look, Optics
from nndacss.simulate.sampling import Grid, Window, centres
from nndacss.simulate.sampling import tens as ground_tens
from nndacss.simulate.seeing import REFERENCE, Eye
from nndacss.simulate.spectra import ROLES as GROUND
from nndacss.simulate.view import View

#: Keeps the draws of a pair apart from those of its world.
_SALT = 0x9A125
_EPSG = int(CRS.removeprefix("EPSG:"))


@dataclass(frozen=True)
class Draw:
    """What differs from one image to the next, apart from its world."""

    west: float
    north: float
    """Upper left corner of the image, metres."""
    shift: tuple[float, float]
    """Metres east and south by which Landsat's content lies off the truth."""
    pan_shift: tuple[float, float]
    """The same of pan against the other bands."""
    width: float
    """Width of Landsat's point spread, in its own."""
    response: Spectral | None
    """OLI to Sentinel-2; None for the simulation's own."""


def pairs(options: Twin, title: str, name: str, side: int) -> Iterator[Pair]:
    """All whole pairs of one seed's image, row by row."""
    if side > options.image:
        found, expected = f"image = {options.image}", f"at least side, {side}"
        raise SettingsError(complain(f"[[pairs.sources]] {title}", found, expected, "enlarge"))
    draw = np.random.default_rng([int(name), _SALT])
    inputs, target, asked = image_of(options, int(name), draw)
    for row in range(0, options.image - side + 1, side):
        for column in range(0, options.image - side + 1, side):
            place = np.s_[:, row : row + side, column : column + side]
            cut = inputs[place].copy()
            if draw.random() < options.no_pan:
                cut[INPUTS.index("pan")] = np.nan
            record = PairRecord(
                dataset=title,
                kind="twin",
                name=name,
                scene=f"twin-{int(name)}",
                row=row,
                column=column,
                level="SR",
                coarse_truth=False,
                ssim=np.nan,
                psnr=np.nan,
                shift=asked.shift,
            )
            yield Pair(cut, target[place], record)


def image_of(options: Twin, seed: int, draw: np.random.Generator) -> tuple[Pixels, Pixels, Draw]:
    """Input (7, image, image), target (6, image, image), and what was drawn."""
    asked, place = conditions(options, seed, draw), moment(seed)
    grid = tens(asked.west, asked.north, options.image, options.image)
    box = grid.extent.boundingbox
    sky = replace(place, cover=float(draw.uniform(0, options.cover)) if options.cover else 0.0)
    world = sky.world((box.left, box.bottom, box.right, box.top))
    aside = place.view_zenith, place.view_azimuth
    eye = Eye(world, Look(_sharpness(LANDSAT, asked.width), *aside), seed)
    inputs = _landsat(eye, asked, options.image)
    planes = np.concatenate([on_tens(plane, grid) for plane in inputs])
    optics = SENTINEL2 if asked.response is None else _responding(asked.response)
    target = _sentinel2(Eye(world, Look(optics, *aside), seed), asked, options.image)
    if asked.response is not None:
        target += np.array(asked.response.offset, dtype=np.float32)[:, None, None]
    return planes, target, asked


def conditions(options: Twin, seed: int, draw: np.random.Generator) -> Draw:
    """One draw; the corner takes every place of the 10 m grid among Landsat's pixels."""
    place = moment(seed).snapped()
    east, south = (METRES * int(draw.integers(3)) for _ in range(2))
    across, down = (float(draw.uniform(-options.shift, options.shift)) for _ in range(2))
    pan = [float(draw.uniform(-options.pan_shift, options.pan_shift)) for _ in range(2)]
    return Draw(
        west=place.west + east,
        north=place.north - south,
        shift=(across, down),
        pan_shift=(pan[0], pan[1]),
        width=float(draw.uniform(1 - options.width, 1 + options.width)),
        response=drawn(draw) if options.response == "drawn" else None,
    )


def _landsat(eye: Eye, asked: Draw, size: int) -> tuple[Plane, Plane]:
    """Six bands of surface reflectance on 30 m pixels, and pan at the top of the atmosphere."""
    # two pixels on every side for the cubic kernel, one more since pan has a row and column less
    first = [floor((edge - EDGE[30]) / 30) - 3 for edge in (asked.west, -asked.north)]
    west, north = 30 * first[0] + EDGE[30], -(30 * first[1] + EDGE[30])
    count = ceil(size * METRES / 30) + 7
    east, south = asked.shift
    # content that lies east of its place is ground that lies west of the pixel
    seen_from = Grid(west - east, north + south, count, count, _EPSG)
    window = Window(0, count, 0, count)
    tops = View(seen_from, eye, 8, None).seen(window, (*ROLES, "pan")).tops
    bands = np.stack([eye.surface(role, tops[role]) for role in ROLES])
    # pan's own shift is told as another place, not seen from one: a second look would cost as
    # much as the first, and 2 m of 15 change its sampling little
    aside, below = asked.pan_shift
    pan = Plane(tops["pan"][None], west + EDGE[15] + aside, north - EDGE[15] - below, 15)
    return Plane(bands, west, north, 30), pan


def _sentinel2(eye: Eye, asked: Draw, size: int) -> Pixels:
    """(6, size, size) surface reflectance, each band seen at 10 m."""
    west, north = BASE * floor(asked.west / BASE), BASE * ceil(asked.north / BASE)
    left, top = round((asked.west - west) / METRES), round((north - asked.north) / METRES)
    count = ceil((max(left, top) + size) * METRES / BASE)
    grid, window = Grid(west, north, count, count, _EPSG, BASE), Window(0, count, 0, count)
    # one 10 m pixel more on every side, for the point spread
    means = ground_tens(eye.world.ground, grid, window.grown(1), GROUND)[:, 5:-5, 5:-5]
    at = centres(grid, window, BASE // METRES)
    sky = eye.overcast(*at)
    below, corner = sky.light(REFERENCE, *at), grid.corner(window, BASE // METRES)
    cut = np.s_[top : top + size, left : left + size]
    bands = []
    for role in ROLES:
        light = sky.light(role, *at, below)
        seen = eye.top(role, eye.ground(role, means, METRES), light, corner)
        bands.append(eye.surface(role, seen)[cut])
    return np.stack(bands)


def _sharpness(optics: Optics, width: float) -> Optics:
    """Optics with a point spread `width` times as wide: its share goes with the square."""
    return replace(optics, spread={m: share * width**2 for m, share in optics.spread.items()})


def _responding(response: Spectral) -> Optics:
    """Sentinel-2 with its bands made of Landsat's by a map; its offset is not in it."""
    weights = {
        role: {name: weight for name, weight in zip(ROLES, row, strict=True) if weight}
        for role, row in zip(ROLES, response.matrix, strict=True)
    }
    return replace(SENTINEL2, weights=weights)
