"""Simulated views: Landsat-8 under clouds, with pan and with its own truth.

Every seed is another ground, sun, season and sky (`nndacss.simulate.chips.moment`). The image is
what Landsat's products hold, six bands of surface reflectance at 30 m and pan at 15 m at the top
of the atmosphere, brought to 10 m as the pipeline brings a scene. The truth is that of Landsat's
own 30 m pixels: another sensor's clouds and shadows lie elsewhere, since it looks another way.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from nndacss.datasets.twin import near_threshold
from nndacss.labels.sets import Sets, from_labels
from nndacss.pairs.lattice import CRS, EDGE, Plane, on_tens, tens
from nndacss.sensors import REFLECTIVE
from nndacss.simulate.atmosphere import beam
from nndacss.simulate.chips import moment
from nndacss.simulate.optics import LANDSAT, Look
from nndacss.simulate.quality import labels, snow_and_water
from nndacss.simulate.sampling import Grid, Window
from nndacss.simulate.seeing import Eye
from nndacss.simulate.view import Seen, View
from nndacss.tile.warp import nearest
from nndacss.views.image import Image
from nndacss.views.kinds import Twin

#: Pixels around a view that the network sees: more than our own network's reach (39), and whole
#: pixels of 60 m, so that the image keeps its place on every lattice.
MARGIN = 60
_EPSG = int(CRS.removeprefix("EPSG:"))
#: Landsat pixels around the image: two for the cubic kernel, one more since pan has a row and
#: column less.
_AROUND = 3


def image(options: Twin, name: str, side: int) -> Image:
    """The image of one seed: `side` pixels and the margin; its sky has its cover over `side`."""
    seed = int(name)
    place = moment(seed).snapped()
    box = tens(place.west, place.north, side, side).extent.boundingbox
    world = place.world((box.left, box.bottom, box.right, box.top))
    eye = Eye(world, Look(LANDSAT, place.view_zenith, place.view_azimuth), seed)
    size = side + 2 * MARGIN
    grid = tens(place.west - 10 * MARGIN, place.north + 10 * MARGIN, size, size)
    west, north = (
        30 * (floor((edge - EDGE[30]) / 30) - _AROUND) + EDGE[30]
        for edge in (grid.affine.c, -grid.affine.f)
    )
    count = ceil(size * 10 / 30) + 2 * _AROUND + 1
    view = View(Grid(west, -north, count, count, _EPSG), eye, 8, None)
    seen = view.seen(Window(0, count, 0, count), (*REFLECTIVE, "pan"))
    bands = np.stack([eye.surface(role, seen.tops[role]) for role in REFLECTIVE])
    plane = Plane(bands, west, -north, 30)
    pan = Plane(seen.tops["pan"][None], west + EDGE[15], -north - EDGE[15], 15)
    return Image(
        name=name,
        scene=f"twin-{seed}",
        inputs=np.concatenate([on_tens(part, grid) for part in (plane, pan)]),
        sets=nearest(truth(seen, options.strict)[None], plane.grid, grid, 0)[0],
        grid=grid,
        margin=MARGIN,
        level="SR",
        sensor="landsat8_oli",
        sun=(place.sun_elevation, place.sun_azimuth),
    )


def truth(seen: Seen, strict: bool) -> Sets:
    """(rows, columns) label sets of Landsat's own pixels."""
    snow, _ = snow_and_water(seen.ground[2], seen.ground[4], seen.ground[5])
    light = seen.inner
    sets = from_labels(labels(light.thickness, light.slant, snow, np.zeros_like(snow)))
    return sets if strict else near_threshold(sets, light.thickness, 1 - beam(light.slant))
