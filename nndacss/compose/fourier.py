"""Fourier domain adaptation: Landsat's amplitude at low frequencies, the rest harmonized.

Yang and Soatto 2020 (FDA: Fourier domain adaptation for semantic segmentation, CVPR,
doi:10.1109/CVPR42600.2020.00414), band by band: the amplitude of the low frequencies is Landsat's,
the phase of all frequencies and the amplitude of the high ones are the harmonized image's. So a
cloud keeps the form and the detail of the 10 m image and gets the brightness that Landsat measured.

Low frequencies are a centred square: those of at most b bins in rows and in columns, c - b to c + b
around frequency 0 at c, both ends included, as in the authors' numpy code. Frequency 0, the mean,
is always among them, also where b = 0.

By `beta`, as published: one transform of the whole image, b = floor(shorter side * beta).

By `cutoff`: blocks of fixed size on a lattice that is fixed on the ground (`lattice`), each adapted
as above with b = floor(side / cutoff), then added up. The result in a pixel depends on the blocks
over it only, so that it does not matter how a scene is cut into windows: two of them agree where
each holds `reach` pixels more on every side, or ends where the scene does. A block is adapted under
a window that fades to 0 at its edges (the root of a Hann window, before and after the transform,
half overlapping), its weighted mean apart. So what lies across an edge leaks little into other
frequencies, and clouds far away do not make up a shadow's brightness: with clouds that a network
dulled, smoothed shadows are 0.002 off Landsat's, but 0.009 in one transform of 7.7 km
(`benchmarks/compose.py --errors`).

Nothing is clipped: bright clouds stay above 1. Missing pixels are filled in for the transform
(`fill`) and missing again after it; images are mirrored at their edges.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from nndacss.compose.fill import filled
from nndacss.compose.lattice import Lattice, Take, mirrored, taken
from nndacss.compose.options import ComposeOptions, FourierOptions
from nndacss.compose.spectrum import change, square
from nndacss.compose.views import Composed, Mask, Views
from nndacss.raster import Pixels


def fourier(views: Views, options: ComposeOptions, rng: Generator | None) -> Composed:
    """The whole window adapted; with a generator, up to a frequency that is drawn."""
    how = options.fourier
    if how.by == "beta":
        beta = how.beta if rng is None else float(rng.uniform(0, how.beta_limit))
        added = _at_once(views, beta, round(how.mirror / views.metres))
    else:
        frequency = 1 / how.cutoff if rng is None else float(rng.uniform(0, 1 / how.cutoff_limit))
        added = _by_blocks(views, frequency, _lattice(how, views.metres))
    return Composed(views.whole + added, views.valid.copy())


def reach(options: FourierOptions, metres: float) -> int:
    """Pixels around a pixel on which its result depends, by `cutoff`."""
    return _lattice(options, metres).side - 1


def _lattice(options: FourierOptions, metres: float) -> Lattice:
    """Blocks for pixels of `metres`: an even number of pixels, 8 at least."""
    half = max(round(options.block / metres / 2), 4)
    return Lattice(2 * half, half)


def _at_once(views: Views, beta: float, margin: int) -> Pixels:
    """(6, rows, columns) what to add, by one transform of the image and its mirrored margin."""
    rows, columns = views.valid.shape
    take = [mirrored(-margin, side + 2 * margin, side) for side in (rows, columns)]
    image, landsat = _pair(views, *take) if margin else _pair(views, slice(rows), slice(columns))
    sides = image.shape[1], image.shape[2]
    low = square(sides, math.floor(min(sides) * beta))
    # band by band: the spectra of large images would not fit the processor's cache
    bands = [change(image[[n]], landsat[[n]], *low) for n in range(len(image))]
    return np.concatenate(bands)[:, margin : margin + rows, margin : margin + columns]


def _by_blocks(views: Views, frequency: float, lattice: Lattice) -> Pixels:
    """(6, rows, columns) what to add, block by block; `frequency` in cycles per metre."""
    # a cut-off that divides the side must not lose its last bin to rounding
    bins = math.floor(lattice.side * views.metres * frequency + 1e-6)
    low = square((lattice.side, lattice.side), bins)
    rise = np.sqrt(lattice.share)
    fade = rise[:, None] * rise
    needed: Mask = views.valid if views.needed is None else views.valid & views.needed
    added = np.zeros_like(views.landsat)
    for vertical in lattice.spans(views.at[0], needed.shape[0]):
        for horizontal in lattice.spans(views.at[1], needed.shape[1]):
            into = vertical.into, horizontal.into
            if needed[into].any():
                image, landsat = _pair(views, vertical.take, horizontal.take)
                block = _faded(image, landsat, fade, low)
                added[:, *into] += block[:, vertical.of, horizontal.of]
    return added


def _faded(image: Pixels, landsat: Pixels, fade: Pixels, low: tuple[Pixels, Pixels]) -> Pixels:
    """(6, side, side) what a block adds; `fade` squared sums to 1 over the blocks of a pixel."""
    weight = fade**2 / np.square(fade).sum()
    own, wanted = ((pixels * weight).sum((1, 2), keepdims=True) for pixels in (image, landsat))
    added = change((image - own) * fade, (landsat - wanted) * fade, *low)
    faded: Pixels = fade * (added + (wanted - own) * fade)
    return faded


def _pair(views: Views, rows: Take, columns: Take) -> tuple[Pixels, Pixels]:
    """Some pixels of the harmonized and of the Landsat image, without holes."""
    known = taken(views.valid, rows, columns)
    return (
        filled(taken(views.whole, rows, columns), known),
        filled(taken(views.landsat, rows, columns), known),
    )


METHOD = fourier
