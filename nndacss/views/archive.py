"""Views of labelled archives: Landsat images of 30 m, brought to 10 m.

Archives do not say where on the map their images lie, or no longer need to: an image is taken to
lie as Landsat's pixels do, its edges half a 30 m pixel off the whole tens of metres on which
Sentinel-2's lie. Labels go to the nearest pixel. No pan band is taken from them (on 30 m pixels
it holds no detail); networks that know no other way make one, see `nndacss.models.harmonizer`.
"""

from __future__ import annotations

import numpy as np

from nndacss.datasets import Dataset, Sample
from nndacss.errors import DatasetError, complain
from nndacss.pairs.lattice import EDGE, Plane, tens
from nndacss.samples.cut import arranged
from nndacss.sensors import REFLECTIVE
from nndacss.tile.warp import nearest, warp
from nndacss.views.image import Image


def image(dataset: Dataset, name: str) -> Image:
    """One image of an archive, whole; DatasetError where it is not Landsat's at 30 m."""
    sample = dataset.load(name)
    check(sample)
    plane = Plane(arranged(sample, REFLECTIVE, False).pixels, EDGE[30], -EDGE[30], 30)
    # the whole tens inside: from half a pixel in, to half a pixel before the end
    rows, columns = (3 * size - 1 for size in sample.sets.shape)
    grid = tens(EDGE[30] + 5, -EDGE[30] - 5, rows, columns)
    pan = np.full((1, rows, columns), np.nan, dtype=np.float32)
    return Image(
        name=name,
        scene=sample.scene,
        inputs=np.concatenate([warp(plane.pixels, plane.grid, grid), pan]),
        sets=nearest(sample.sets[None], plane.grid, grid, 0)[0],
        grid=grid,
        margin=0,
        level=sample.level,
        sensor=sample.sensor,
        sun=sample.sun,
    )


def check(sample: Sample) -> None:
    """DatasetError unless it is a Landsat image of 30 m with all six bands."""
    remedy = "take it out of [[views.sources]]"
    if not sample.sensor.startswith("landsat"):
        raise DatasetError(complain(sample.name, sample.sensor, "a Landsat image", remedy))
    if abs(sample.metres - 30) > 0.01:
        found = f"pixels of {sample.metres:g} m"
        raise DatasetError(complain(sample.name, found, "Landsat's own, 30 m", remedy))
    if absent := [role for role in REFLECTIVE if role not in sample.roles]:
        found, expected = f"no {absent[0]}", f"bands {', '.join(REFLECTIVE)}"
        raise DatasetError(complain(sample.name, found, expected, "set its `roles`"))
