"""Fourier domain adaptation as a change of low frequencies.

The adapted image has another image's amplitude at low frequencies, and its own phase and
everything of its own at the others. So only a few columns of the spectra are ever needed, only the
change is transformed back, and where nothing changes not one bit of the image does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from nndacss.raster import Pixels

#: An amplitude below this share of the root of the sum of squares has no phase of its own: about
#: a hundred times the rounding of a float32 transform, and waves of less than 1e-6 reflectance.
FLOOR = 1e-5


def square(sides: tuple[int, int], half: int) -> tuple[Pixels, Pixels]:
    """The frequencies of at most `half` bins, as `change` wants them: 1 inside, 0 outside.

    >>> [axis.tolist() for axis in square((5, 6), 1)]
    [[1.0, 1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    """
    rows, columns = sides
    down = np.abs(fft.fftfreq(rows) * rows).round() <= half
    across = np.arange(columns // 2 + 1) <= half
    return down.astype(np.float32), across.astype(np.float32)


def change(image: Pixels, other: Pixels, down: Pixels, across: Pixels) -> Pixels:
    """What to add to `image` so that it has `other`'s amplitude at low frequencies.

    Both are (bands, rows, columns) float32 without NaN. `down` (rows,) says how far the amplitude
    is taken over at each vertical frequency, 0 to 1, in the order of `scipy.fft.fftfreq`; `across`
    (columns // 2 + 1,) at each horizontal one, in the order of `rfftfreq`; the two are multiplied.
    `down` must be even in the frequency, or the result would not be real. A frequency that
    `image` does not have (see FLOOR) comes with `other`'s phase.
    """
    rows, columns = np.flatnonzero(down), int(np.flatnonzero(across)[-1]) + 1
    own, wanted = (_low(pixels, rows, columns) for pixels in (image, other))
    amplitude = np.abs(own)
    floor = FLOOR * np.linalg.norm(image.reshape(len(image), -1), axis=1)
    with_phase = np.where(amplitude > floor[:, None, None], own, wanted)
    phase = with_phase / np.maximum(np.abs(with_phase), np.finfo(np.float32).tiny)
    spectrum = np.zeros((*image.shape[:2], columns), dtype=np.complex64)
    spectrum[:, rows] = (np.abs(wanted) - amplitude) * (down[rows, None] * across[:columns]) * phase
    result: Pixels = fft.irfft(fft.ifft(spectrum, axis=1), n=image.shape[2], axis=2)
    return result


def _low(pixels: Pixels, rows: NDArray[np.intp], columns: int) -> NDArray[np.complex64]:
    """The spectra of (bands, rows, columns) at some vertical and the first horizontal ones."""
    across = fft.rfft(pixels, axis=2)[:, :, :columns]
    found: NDArray[np.complex64] = fft.fft(across, axis=1)[:, rows]
    return found
