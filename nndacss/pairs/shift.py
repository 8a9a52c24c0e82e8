"""How far two images of one place lie apart, to a small part of a pixel, by phase correlation.

A shift turns the phase of every spatial frequency by an amount in proportion to it. The shift is
where the phase-only cross-spectrum, summed over the bands, correlates best (Kuglin and Hines
1975; refined by a matrix Fourier transform around the peak, Guizar-Sicairos et al. 2008,
doi:10.1364/OL.33.000156). Only frequencies up to half of the Nyquist frequency count: above it a
sampled image holds what its pixels could not resolve, and that has another phase.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, fftfreq, ifft2

from nndacss.raster import Pixels

#: Cycles per pixel up to which frequencies count.
_HIGHEST = 0.25
#: Half widths and steps, pixels, of the search around the peak: the last one is the precision.
_SEARCH = ((1.0, 0.1), (0.1, 0.01), (0.01, 0.001))
#: Largest shift that is looked for, pixels: both agencies state errors well below one.
MOST = 4


def shift_between(image: Pixels, reference: Pixels) -> tuple[float, float, float]:
    """Pixels (columns, rows) by which the content of `image` lies off that of `reference`.

    Both are (bands, rows, columns); missing pixels are taken as the band's mean. Positive: to the
    right, and down; at most `MOST`. Third: how well the phases agree, up to 1 for equal images.
    """
    right, down, agreement = _measured(image, reference)
    whole = round(right), round(down)
    if whole == (0, 0):
        return right, down, agreement
    # what both show, so that the rest is less than a pixel: a window favours no shift
    rest = _measured(*_common(image, reference, *whole))
    return whole[0] + rest[0], whole[1] + rest[1], rest[2]


def _measured(image: Pixels, reference: Pixels) -> tuple[float, float, float]:
    """The shift of two images of one size, and the agreement."""
    rows, columns = image.shape[1:]
    window = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
    cross = np.zeros((rows, columns), dtype=np.complex128)
    for band, other in zip(image, reference, strict=True):
        first, second = (fft2(_levelled(plane) * window) for plane in (band, other))
        cross += first * np.conj(second) / max(_size(first) * _size(second), 1e-12)
    down, across = fftfreq(rows)[:, None], fftfreq(columns)[None, :]
    radius = np.hypot(down, across)
    # a phase-only spectrum, less at its rim, so that the peak has no wings
    phase = cross / np.maximum(np.abs(cross), 1e-30)
    phase *= np.where(radius < _HIGHEST, np.cos(np.pi / 2 * radius / _HIGHEST) ** 2, 0)
    phase[0, 0] = 0
    row, column = _peak(np.real(ifft2(phase)))
    for half, step in _SEARCH:
        offsets = np.arange(-round(half / step), round(half / step) + 1) * step
        left = np.exp(2j * np.pi * (row + offsets)[:, None] * down.T)
        right = np.exp(2j * np.pi * across.T * (column + offsets)[None, :])
        found = np.real(left @ phase @ right)
        best = np.unravel_index(int(found.argmax()), found.shape)
        row, column = row + float(offsets[best[0]]), column + float(offsets[best[1]])
    return column, row, float(found.max() / max(np.abs(phase).sum(), 1e-12))


def _common(image: Pixels, reference: Pixels, right: int, down: int) -> tuple[Pixels, Pixels]:
    """The parts of both that show the same, given a shift of whole pixels."""
    rows, columns = (
        size - abs(shift) for size, shift in zip(image.shape[1:], (down, right), strict=True)
    )
    ours, theirs = ((max(sign * down, 0), max(sign * right, 0)) for sign in (1, -1))
    return (
        image[:, ours[0] : ours[0] + rows, ours[1] : ours[1] + columns],
        reference[:, theirs[0] : theirs[0] + rows, theirs[1] : theirs[1] + columns],
    )


def _peak(correlation: NDArray[np.float64]) -> tuple[float, float]:
    """Row and column of the maximum within `MOST` of no shift."""
    near = np.roll(correlation, (MOST, MOST), axis=(0, 1))[: 2 * MOST + 1, : 2 * MOST + 1]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return float(row) - MOST, float(column) - MOST


def _levelled(plane: Pixels) -> NDArray[np.float64]:
    """Less its mean, missing pixels 0."""
    there = np.isfinite(plane)
    mean = plane[there].mean(dtype=np.float64) if there.any() else 0.0
    return np.where(there, plane - mean, 0.0)


def _size(spectrum: NDArray[np.complex128]) -> float:
    return float(np.sqrt(np.square(np.abs(spectrum)).sum()))
