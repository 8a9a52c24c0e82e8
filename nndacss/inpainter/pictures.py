"""A picture of what a network restores: unseen samples with the structure hidden, then restored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from nndacss.identity import drafted
from nndacss.inpainter.fit import InpainterFit
from nndacss.raster import Pixels
from nndacss.samples.show import spread, true_colour

#: Rows of the picture.
SHOWN = 6
#: Of pixels that are hidden.
_HIDDEN = (200, 30, 120)
#: White pixels between two images.
_GAP = 6


def draw(fitted: InpainterFit, path: Path) -> None:
    """Write a PNG, a row a sample: what the network saw, what it made of it, what was there.

    Samples of scenes that were kept out, the first of them and others evenly spread; training
    samples where none was kept out.
    """
    data, learner = fitted.data, fitted.learner.eval()
    indices = data.parts.get("monitor", data.train)
    chosen = [indices[place] for place in spread(len(indices), SHOWN)]
    samples = data.plain(chosen)
    rows = []
    for place in range(len(chosen)):
        item = samples[place]
        pixels, hole = item["pixels"][None], item["hole"][None]
        with torch.no_grad():
            found = learner(pixels.to(learner.device), hole.to(learner.device)).cpu()
        painted = torch.where(hole[:, None], found, pixels)
        rows.append(_row(pixels[0].numpy(), painted[0].numpy(), hole[0].numpy(), data.store.roles))
    with drafted(path) as draft:
        Image.fromarray(np.concatenate(rows)).save(draft, "PNG")


def _row(
    pixels: Pixels, painted: Pixels, hole: NDArray[np.bool_], roles: tuple[str, ...]
) -> NDArray[np.uint8]:
    """Hidden, restored, original side by side, all three equally bright."""
    both = true_colour(np.concatenate([painted, pixels], axis=2), roles)
    restored, original = np.split(both, 2, axis=1)
    hidden = original.copy()
    hidden[hole] = _HIDDEN
    gap = np.full((len(hole), _GAP, 3), 255, np.uint8)
    row = np.concatenate([hidden, gap, restored, gap, original], axis=1)
    return np.pad(row, ((0, _GAP), (0, 0), (0, 0)), constant_values=255)
