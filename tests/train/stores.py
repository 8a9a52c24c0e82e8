"""Small sample stores whose classes can be told by colour, for tests."""

from __future__ import annotations

import numpy as np

from nndacss.labels.climate import SCHEME
from nndacss.samples.layout import Header, Record
from nndacss.samples.write import count_classes, write_store
from nndacss.sensors import REFLECTIVE

#: Reflectance of clear, shadow, snow, cloud in blue, green, red, nir08, swir16, swir22.
COLOURS = np.array(
    [
        [0.08, 0.09, 0.10, 0.30, 0.22, 0.14],
        [0.05, 0.04, 0.04, 0.10, 0.07, 0.05],
        [0.80, 0.80, 0.78, 0.70, 0.10, 0.08],
        [0.50, 0.50, 0.50, 0.55, 0.45, 0.35],
    ],
    dtype=np.float32,
)


def sample(rng, side, partial):
    """Blocks of classes with noise; `partial` labels "anything but cloud" where there is none."""
    blocks = rng.integers(0, 4, (4, 4))
    codes = np.kron(blocks, np.ones((side // 4, side // 4), dtype=np.intp))
    pixels = COLOURS[codes].transpose(2, 0, 1) + rng.normal(0, 0.02, (6, side, side))
    sets = np.where(codes == 3, 8, 7) if partial else 1 << codes
    return pixels.astype(np.float32), sets.astype(np.uint16)


def record(dataset, scene, sets, metres=30.0):
    return Record(
        dataset=dataset,
        name=f"{scene}-image",
        scene=scene,
        row=0,
        column=0,
        metres=metres,
        level="TOA",
        sensor="landsat8_oli",
        sun=None,
        labelled=int((sets != 0).sum()),
        class_counts=count_classes(sets, 4),
    )


def make_store(path, counts=(("biome_chips", 6), ("twin", 6)), side=64, seed=0):
    """A store of `counts` samples a data set, each of a scene of its own."""
    rng = np.random.default_rng(seed)
    entries = [{"kind": name} for name, _ in counts]
    recipe = {"stage": "samples", "settings": {"samples": {"datasets": entries}}}
    header = Header(tuple(REFLECTIVE), "climate", SCHEME.classes, side, recipe)
    items = []
    for name, count in counts:
        for number in range(count):
            pixels, sets = sample(rng, side, partial=name == "biome_chips")
            items.append((pixels, sets, record(name, f"{name}-{number}", sets)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, header, items)
    return path
