"""Real Sentinel-2 images, and the same degraded to Landsat's view: pairs without a Landsat.

The target is the image as it is. The input is what OLI would have seen of it: responses, point
spread, sub-pixel shifts, lattice, noise and the haze before pan are drawn anew for every pair, as
is a turn or mirror image of the ground. Ground below 10 m is not in it, and Sentinel-2's noise is
in input and target alike (averaged out ninefold at 30 m). B8A, B11 and B12 were seen at 20 m:
their targets repeat each value over 2 x 2 pixels (`coarse_truth`). Of an image at the top of the
atmosphere pan gets haze twice: its own, and the drawn one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from nndacss.errors import DatasetError, complain
from nndacss.identity import digest
from nndacss.pairs import archives
from nndacss.pairs.degrade import PAN_WEIGHTS, Conditions, Fine, landsat_view
from nndacss.pairs.kinds import Degraded
from nndacss.pairs.lattice import on_tens, tens
from nndacss.pairs.response import airborne, drawn
from nndacss.pairs.source import METRES, Pair, PairRecord
from nndacss.raster import Pixels

_SALT = 0xDE62AD
#: 10 m pixels around a pair that Landsat's view of it may need, where the image has them: the
#: kernel's two Landsat pixels, a point spread, shifts, and up to one pixel of lattice.
_MARGIN = 16
#: Largest step of pan's weights of blue, green and red, before they sum to 1 again.
_PAN_JITTER = 0.1


def pairs(options: Degraded, title: str, name: str, side: int) -> Iterator[Pair]:
    """All draws of one image."""
    paths = archives.files(options.archive, options.folder)[name]
    image = _part(archives.read(options.archive, paths), options.rows)
    rows, columns = image.ten.shape[1:]
    if min(rows, columns) < side:
        found = f"{rows} x {columns} pixels"
        raise DatasetError(complain(paths[0], found, f"at least {side}", "lower pairs.side"))
    count = options.draws * (rows // side) * (columns // side)
    for number in range(count):
        key = int(digest([options.archive, name])[:12], 16)
        draw = np.random.default_rng([options.seed, key, number, _SALT])
        turned = _turned(image, int(draw.integers(8)))
        yield _pair(options, turned, side, draw, title, name)


def _pair(
    options: Degraded,
    image: archives.Image,
    side: int,
    draw: np.random.Generator,
    title: str,
    name: str,
) -> Pair:
    """One draw."""
    half = [int(draw.integers((size - side) // 2 + 1)) for size in image.ten.shape[1:]]
    row, column = 2 * half[0], 2 * half[1]
    seen = conditions(options, draw)
    bands, pan = landsat_view(_around(image, row, column, side), seen, draw)
    grid = tens(0.0, 0.0, side, side)
    inputs = [on_tens(bands, grid), on_tens(pan, grid)]
    if draw.random() < options.no_pan:
        inputs[1][:] = np.nan
    twenty = image.twenty[:, half[0] : half[0] + side // 2, half[1] : half[1] + side // 2]
    target = [image.ten[:, row : row + side, column : column + side]]
    target.append(twenty.repeat(2, axis=1).repeat(2, axis=2))
    record = PairRecord(
        dataset=title,
        kind="degraded",
        name=name,
        scene=f"{options.archive}-{name}",
        row=row,
        column=column,
        level=image.level,
        coarse_truth=True,
        ssim=np.nan,
        psnr=np.nan,
        shift=seen.shift,
    )
    return Pair(np.concatenate(inputs), np.concatenate(target), record)


def conditions(options: Degraded, draw: np.random.Generator) -> Conditions:
    """One view. Haze and sun are distributed as in the simulation."""
    if options.response == "airborne" and options.spectra is not None:
        response = _airborne(options.spectra)
    else:
        response = drawn(draw).inverse()
    jitter = draw.uniform(-_PAN_JITTER, _PAN_JITTER, 3)
    weights = np.clip(np.array(PAN_WEIGHTS) + jitter, 0, None)
    blue, green, red = (float(weight) for weight in weights / weights.sum())
    return Conditions(
        corner=(METRES * int(draw.integers(3)), METRES * int(draw.integers(3))),
        shift=_both(draw, options.shift),
        pan_shift=_both(draw, options.pan_shift),
        width=float(draw.uniform(1 - options.width, 1 + options.width)),
        noise=float(draw.uniform(1 - options.noise, 1 + options.noise)),
        response=response,
        pan_weights=(blue, green, red),
        haze=float(min(0.5, 0.04 + draw.gamma(1.5, 0.05))),
        sun_elevation=float(draw.uniform(20, 70)),
    )


def _part(image: archives.Image, rows: tuple[float, float]) -> archives.Image:
    """The rows to use, from an even one to an even one."""
    top, bottom = (round(share * image.ten.shape[1] / 2) for share in rows)
    return archives.Image(
        image.ten[:, 2 * top : 2 * bottom], image.twenty[:, top:bottom], image.level
    )


def _around(image: archives.Image, row: int, column: int, side: int) -> Fine:
    """A window and what of its surroundings the image holds."""
    start = [max(place - _MARGIN, 0) for place in (row, column)]
    end = [place + side + _MARGIN for place in (row, column)]
    coarse = np.s_[:, start[0] // 2 : end[0] // 2, start[1] // 2 : end[1] // 2]
    ten = image.ten[:, start[0] : end[0], start[1] : end[1]]
    return Fine(ten, image.twenty[coarse], (row - start[0], column - start[1]))


def _turned(image: archives.Image, way: int) -> archives.Image:
    """One of the eight turns and mirror images of a square."""

    def turn(pixels: Pixels) -> Pixels:
        turned = np.rot90(pixels, way % 4, axes=(1, 2))
        return turned.swapaxes(1, 2) if way >= 4 else turned

    return archives.Image(turn(image.ten), turn(image.twenty), image.level)


def _both(draw: np.random.Generator, most: float) -> tuple[float, float]:
    """East and south."""
    return float(draw.uniform(-most, most)), float(draw.uniform(-most, most))


_airborne = lru_cache(maxsize=2)(airborne)
