"""Small sample stores of land cover, whose classes can be told by their spectrum, for tests."""

from __future__ import annotations

import numpy as np

from nndacss.labels.land_cover import SCHEME
from nndacss.samples.layout import Header, Record
from nndacss.samples.write import count_classes, write_store

ROLES = ("blue", "green", "red", "nir")
#: Reflectance of the seven classes in blue, green, red, nir.
COLOURS = np.array(
    [
        [0.05, 0.05, 0.04, 0.02],
        [0.15, 0.17, 0.19, 0.22],
        [0.14, 0.20, 0.27, 0.34],
        [0.85, 0.85, 0.83, 0.75],
        [0.03, 0.05, 0.04, 0.30],
        [0.05, 0.08, 0.07, 0.42],
        [0.07, 0.10, 0.11, 0.26],
    ],
    dtype=np.float32,
)


def sample(rng, side):
    """Blocks of classes with noise; a corner without label, and how sure each label is."""
    codes = np.kron(rng.integers(0, 7, (4, 4)), np.ones((side // 4, side // 4), dtype=np.intp))
    pixels = COLOURS[codes].transpose(2, 0, 1) + rng.normal(0, 0.01, (4, side, side))
    sets = (1 << codes).astype(np.uint16)
    sets[:8, :8] = 0
    weight = np.where(codes % 2, 0.6, 1.0).astype(np.float32)
    return pixels.astype(np.float32), sets, weight


def make_land_store(path, tiles=6, side=64, seed=0, weighted=True):
    """Two dates of one chip a tile."""
    rng = np.random.default_rng(seed)
    recipe = {"stage": "samples", "settings": {"samples": {"datasets": [{"kind": "chips"}]}}}
    header = Header(ROLES, "land_cover", SCHEME.classes, side, recipe, weighted)
    items = []
    for tile in range(tiles):
        for month in ("01", "07"):
            pixels, sets, weight = sample(rng, side)
            record = Record(
                dataset="chips",
                name=f"{tile:02d}ABC_00_2018{month}15",
                scene=f"{tile:02d}ABC",
                row=0,
                column=0,
                metres=10.0,
                level="SR",
                sensor="sentinel2_msi",
                sun=None,
                labelled=int((sets != 0).sum()),
                class_counts=count_classes(sets, 7),
            )
            items.append((pixels, sets, record, weight))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, header, items)
    return path
