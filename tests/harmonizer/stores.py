"""Small pair stores whose detail can be learnt from pan, for tests."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from nndacss.harmonize.spectral import step
from nndacss.pairs.layout import Header
from nndacss.pairs.source import Pair, PairRecord
from nndacss.pairs.write import write_store
from nndacss.sensors import REFLECTIVE

#: Ground of each band, and how much of one pattern it carries.
LEVEL = np.array([0.06, 0.08, 0.10, 0.28, 0.22, 0.14])
SHARE = np.array([0.02, 0.02, 0.03, 0.05, 0.04, 0.03])


def blurred(image):
    """Three by three pixels and a point spread."""
    return uniform_filter(gaussian_filter(image, (0, 1, 1)), (1, 3, 3))


def pair(rng, side, dataset, scene, kind="twin", snow=False):
    """A field of patches and lines; Landsat sees it blurred, pan sees it sharp."""
    pattern = gaussian_filter(rng.normal(0, 3, (side, side)), 1.5)
    pattern[rng.integers(0, side, 4)] += 2
    bright = np.array([0.7, 0.7, 0.65, 0.4, -0.1, -0.05]) if snow else np.zeros(6)
    target = (LEVEL + bright)[:, None, None] + SHARE[:, None, None] * pattern
    if kind != "twin":
        means = target[3:].reshape(3, side // 2, 2, side // 2, 2).mean(axis=(2, 4))
        target[3:] = means.repeat(2, axis=1).repeat(2, axis=2)
    inputs = np.empty((7, side, side))
    inputs[:6] = step("sentinel-2a").inverse().apply(blurred(target))
    inputs[6] = 0.1 + 0.03 * pattern
    record = PairRecord(
        dataset=dataset, kind=kind, name=scene, scene=scene, row=0, column=0, level="SR",
        coarse_truth=kind != "twin", ssim=float("nan"), psnr=float("nan"), shift=(0.0, 0.0),
    )  # fmt: skip
    return Pair(inputs.astype(np.float32), target.astype(np.float32), record)


def make_store(path, scenes=5, each=2, side=48, seed=0):
    """`each` pairs of every scene of two data sets, a simulated and a degraded one."""
    rng = np.random.default_rng(seed)
    pairs = [
        pair(rng, side, dataset, f"{dataset}-{number}", kind)
        for dataset, kind in (("twin", "twin"), ("chips", "degraded"))
        for number in range(scenes)
        for _ in range(each)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    recipe = {"stage": "pairs", "inputs": list(REFLECTIVE)}
    write_store(path, Header(side, recipe), pairs)
    return path
