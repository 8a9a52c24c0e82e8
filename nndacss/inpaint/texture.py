"""Fractal noise in tiles that repeat, made once a process; sampling them is cheap."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]

#: Rows and columns of a tile; over a patch of 256 it hardly repeats.
SIDE = 512
#: How many tiles of each roughness there are.
TILES = 4
#: Fall of the spectrum's power with frequency, in two dimensions. Set with `COARSEST` such that
#: differences between pixels inside painted clouds are those inside clouds of L8 Biome's `train`
#: chips, 1 to 16 pixels of 30 m apart.
FALLS = (3.5, 4.1)
#: No grain is coarser than this many pixels, so that a tile holds many of all.
COARSEST = 64


@cache
def tile(number: int, fall: float) -> Field:
    """(SIDE, SIDE) noise with mean 0 and variance 1 that continues itself at its borders.

    The same everywhere: it is drawn from `number` alone.
    """
    rng = np.random.default_rng([number, 0x7E5])
    rows = np.fft.fftfreq(SIDE)[:, None]
    columns = np.fft.rfftfreq(SIDE)[None, :]
    frequency = np.sqrt(rows**2 + columns**2 + COARSEST**-2.0)
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * frequency ** (-fall / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    result: Field = (field / field.std()).astype(np.float32)
    return result


class Texture:
    """A place, turn and scale in a tile: a field over the plane, drawn once and sampled often."""

    def __init__(self, rng: Generator, zoom: float, stretch: float = 1.0) -> None:
        """Pixels of the plane are `1 / zoom` of the tile's; streaks are `stretch` times longer."""
        fall = FALLS[int(rng.integers(len(FALLS)))]
        self._tile = tile(int(rng.integers(TILES)), fall)
        self._origin = rng.uniform(0, SIDE, 2)
        turn = rng.uniform(0, 2 * np.pi)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        self._matrix = np.diag([1 / (zoom * stretch), 1 / zoom]) @ rotation

    def at(self, top: float, left: float, shape: tuple[int, int]) -> Field:
        """Values at the pixels of a window whose first pixel lies at (top, left) of the plane."""
        start = self._origin + self._matrix @ (top, left)
        field: Field = ndimage.affine_transform(
            self._tile, self._matrix, start % SIDE, shape, np.float32, order=1, mode="grid-wrap"
        )
        return field
