"""Simulated patches: one place through Proba-V, and through Landsat-8 and the physical transform.

Every seed is another ground, sun, season, haze and sky (`nndacss.simulate.chips.moment`). Landsat
sees it in its own bands at 30 m with its own noise, and the physical transform brings that to
Proba-V's pixels; Proba-V sees it a little later and from elsewhere: the wind has carried the
clouds on, and it looks aslant. Pseudo-simultaneous, as the published pairs.

A figure on these patches is a figure on simulated data. Part of this project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, cos, radians, sin

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.domains.kinds import Twin
from nndacss.domains.settings import DomainsSettings
from nndacss.domains.source import Patch, PatchRecord
from nndacss.errors import SettingsError, complain
from nndacss.harmonize.physical.transform import ROLES, to_probav
from nndacss.raster import Pixels
from nndacss.simulate.chips import moment
from nndacss.simulate.noise import Field
from nndacss.simulate.optics import LANDSAT, Look
from nndacss.simulate.probav import ProbavSeen, ProbavView, drifted
from nndacss.simulate.probav_grid import PER_DEGREE, PlateCarree, lattice_around
from nndacss.simulate.probav_optics import PROBAV, Radiometry
from nndacss.simulate.sampling import Grid, Window
from nndacss.simulate.seeing import Eye
from nndacss.simulate.sky import CLOUD_THICKNESS
from nndacss.simulate.view import View

#: Keeps the draws of a pass apart from those of its world.
_SALT = 0x9B0BA
#: Images lie in one UTM zone; nothing depends on which.
_EPSG = 32632
#: Metres of a degree of latitude, and 30 m pixels around an image for Proba-V's point spread.
_DEGREE, _AROUND = 111_320.0, 24
#: What is taken for BLUE, RED, NIR, SWIR of a Landsat scene that is not transformed.
_PLAIN = tuple(ROLES.index(role) for role in ("blue", "red", "nir08", "swir16"))


@dataclass(frozen=True)
class Both:
    """One image through both sensors, on one grid."""

    probav: ProbavSeen
    landsat: Field
    """(5, rows, columns) reflectance in the order of `ROLES`, 30 m."""
    landsat_cloud: NDArray[np.bool_]
    as_probav: Pixels
    """(4, rows, columns)"""
    as_probav_cloud: Pixels


def patches(options: Twin, title: str, name: str, settings: DomainsSettings) -> Iterator[Patch]:
    """All patches of one seed's image, row by row."""
    side = settings.side
    if side > options.image:
        found, expected = f"image = {options.image}", f"at least side, {side}"
        raise SettingsError(complain(f"[[domains.sources]] {title}", found, expected, "enlarge"))
    both = image_of(options, int(name), settings.resolution)
    steps = range(0, options.image - side + 1, settings.stride)
    for row in steps:
        for column in steps:
            at = np.s_[row : row + side, column : column + side]
            middle = (row + side / 2) / options.image, (column + side / 2) / options.image
            l8, l8_cloud = _plain(both, middle, side)
            yield Patch(
                pv=_last(both.probav.pixels[:, *at]),
                lu=_last(both.as_probav[:, *at]),
                l8=l8,
                pv_cloud=both.probav.cloud[at],
                lu_cloud=both.as_probav_cloud[at],
                l8_cloud=l8_cloud,
                record=PatchRecord(title, "twin", name, f"twin-{int(name)}", row, column),
            )


def image_of(options: Twin, seed: int, resolution: str) -> Both:
    """One seed's image."""
    draw = np.random.default_rng([seed, _SALT])
    place = moment(seed).snapped()
    grid = _grid(place.west, place.north, options.image, resolution)
    lattice = _lattice(grid)
    world = place.world(lattice.bounds)
    eye = Eye(world, Look(LANDSAT, place.view_zenith, place.view_azimuth), seed)
    whole = Window(0, lattice.rows, 0, lattice.columns)
    seen = View(lattice, eye, 8, None).seen(whole, ROLES)
    landsat = np.stack([seen.tops[role] for role in ROLES])
    cloud = seen.inner.thickness >= CLOUD_THICKNESS

    way, far = radians(draw.uniform(0, 360)), draw.uniform(0, options.drift)
    look = Look(PROBAV, draw.uniform(0, options.zenith), float(draw.choice([100.0, 280.0])))
    sky = None if world.sky is None else drifted(world.sky, far * sin(way), far * cos(way))
    later = Eye(replace(world, sky=sky), look, seed)
    view = ProbavView(grid, later, lattice, Radiometry())
    probav = view.seen(Window(0, grid.rows, 0, grid.columns), (whole, seen.ground))

    landsat_grid = _geobox(lattice.west, lattice.north, 30.0, lattice.rows, lattice.columns, _EPSG)
    target = _geobox(grid.west, grid.north, grid.step, grid.rows, grid.columns, 4326)
    known = to_probav(landsat, landsat_grid, target=target, clouds=cloud.astype(np.float32))
    unknown = np.full(probav.cloud.shape, np.nan, dtype=np.float32)
    clouds = unknown if known.clouds is None else known.clouds
    return Both(probav, landsat, cloud, known.raster.pixels, clouds)


def _grid(west: float, north: float, image: int, resolution: str) -> PlateCarree:
    """The pixels from a map's place to the south-east."""
    from pyproj import Transformer

    at = Transformer.from_crs(_EPSG, 4326, always_xy=True).transform(west, north)
    one = PlateCarree(0, 0, image, image, resolution)
    return replace(one, left=ceil(at[0] / one.step), top=ceil(-at[1] / one.step))


def _lattice(grid: PlateCarree) -> Grid:
    """Landsat's pixels under an image, with what both sensors look at beyond it."""
    inner = lattice_around(grid, _EPSG)
    # Lanczos' kernel reaches three target pixels
    more = _AROUND + ceil(3.5 * grid.fine * _DEGREE / PER_DEGREE / 30)
    far = 30.0 * more
    rows, columns = inner.rows + 2 * more, inner.columns + 2 * more
    return Grid(inner.west - far, inner.north + far, rows, columns, _EPSG)


def _geobox(west: float, north: float, step: float, rows: int, columns: int, epsg: int) -> GeoBox:
    return GeoBox((rows, columns), Affine(step, 0, west, 0, -step, north), f"EPSG:{epsg}")


def _plain(both: Both, middle: tuple[float, float], side: int) -> tuple[Pixels, Pixels]:
    """Landsat as it is around a place, given as shares of the image from its upper left corner."""
    rows, columns = both.landsat_cloud.shape
    top, left = (
        round(share * size) - side // 2 for share, size in zip(middle, (rows, columns), strict=True)
    )
    at = np.s_[top : top + side, left : left + side]
    plain = both.landsat[list(_PLAIN)][:, *at]
    return _last(plain), both.landsat_cloud[at].astype(np.float32)


def _last(pixels: Field) -> Pixels:
    """(bands, rows, columns) with the bands last."""
    return np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
