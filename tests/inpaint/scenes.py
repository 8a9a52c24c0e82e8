"""Labelled scenes and banks with matched pairs, for tests of the modes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from nndacss.inpaint.harvest import Found, Sizes, write_bank
from nndacss.inpaint.pairs import Match
from nndacss.sensors import REFLECTIVE
from tests.inpaint.banks import blobs

SIDES = (96, 80)
C, H, S, X = 1, 2, 4, 8  # clear, shadow, snow, cloud
#: What a scene may hold beside clear ground, and which sets stand for that.
KINDS = {
    "empty": [C, C, C | S, C | H | S],
    "snow": [C, C, S, C | S],
    "cloud": [C, C, C | H | S, X],
    "all": [C, C, C | S, C | H | S, H, S, X, 0, C | X],
}


def scene(seed, kind):
    """Ground of several brightnesses with blocks of label sets, missing pixels and a lost band."""
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0.02, 0.5, (6, *SIDES)).astype(np.float32)
    pixels = ndimage.uniform_filter(pixels, (1, 5, 5))
    sets = np.kron(rng.choice(KINDS[kind], (6, 5)), np.ones((16, 16))).astype(np.uint16)
    # clouds are bright and snow is dark in the short-wave infrared
    pixels[:, sets == X] += 0.4
    pixels[:4, sets == S] += 0.5
    if kind != "empty":
        sets[:4] = 0
    pixels[:, :7] = np.nan
    pixels[2, 20:30, 20:30] = np.nan
    if seed % 3 == 0:
        pixels[5] = np.nan
    return pixels, sets


def disc(shape, row, column, radius):
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def pair_bank(path):
    """Clouds, snow, and one pair: a disc whose shadow, a disc too, lies 20 pixels to the right."""
    shape = (40, 60)
    match = Match(disc(shape, 20, 18, 8), disc(shape, 20, 38, 8), (0, 20), 1.0)
    found = [Found("cloud", f"cloud {n}", 20.0, blobs(n)) for n in range(3)]
    found += [Found("snow", "snow", 20.0, blobs(7))]
    found += [Found("pair_cloud", "pair", 20.0, match.cloud, match)]
    write_bank(path, found, Sizes(), "tests")
    return path


class FakeRestorer:
    """Paints a colour that depends on the patch's other pixels alone, as a network would."""

    def __init__(self, shade):
        self.shade, self.batches = shade, []

    def restore(self, pixels, hole, roles=None):
        assert tuple(roles) == REFLECTIVE
        self.batches.append(len(pixels))
        result = pixels.copy()
        for index, mask in enumerate(hole):
            seen = np.nanmean(pixels[index][:, ~mask])
            result[index][:, mask] = np.where(
                np.isnan(pixels[index][:, mask]), np.nan, self.shade + 0.1 * seen
            )
        return result.astype(np.float32)
