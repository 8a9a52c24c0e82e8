"""Thumbnails as PNG data URIs, and small charts as SVG. No script, no outside address."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from nndacss.labels.climate import Climate
from nndacss.simulate.check.parts import Labelled, Mask

Colours = NDArray[np.uint8]

#: Reflectance that is white in every thumbnail, real or made, and the power of the tone curve.
WHITE, GAMMA = 0.8, 0.6

#: Of outlines: lighter than the colours of masks, to be seen on dark ground.
OUTLINES = {Climate.CLOUD: (255, 150, 40), Climate.SHADOW: (196, 140, 255)}

_GREY, _DARK, _BLUE = "#c9c4b8", "#7d7a72", "#1f77b4"


def true_colour(chip: Labelled) -> Colours:
    """(rows, columns, 3): red, green, blue from 0 to `WHITE`, the same for all; missing grey."""
    planes = np.stack([chip.band(role) for role in ("red", "green", "blue")], axis=-1)
    share = np.clip(np.nan_to_num(planes) / WHITE, 0, 1) ** GAMMA
    picture: Colours = np.rint(255 * share).astype(np.uint8)
    picture[~chip.valid] = 128
    return picture


def outlined(picture: Colours, mask: Mask | None, kind: Climate) -> Colours:
    """The border of a mask, one pixel inside it, in the colour of its class."""
    if mask is None or not mask.any():
        return picture
    border = mask & ~np.asarray(ndimage.binary_erosion(mask, border_value=1))
    result = picture.copy()
    result[border] = OUTLINES[kind]
    return result


def thumbnail(chip: Labelled, labels: bool, side: int = 256) -> str:
    """`<img>` of a chip, its upper left `side` pixels, with labels outlined or plain."""
    picture = true_colour(chip)
    if labels:
        picture = outlined(picture, chip.shadow, Climate.SHADOW)
        picture = outlined(picture, chip.cloud, Climate.CLOUD)
    words = f"{chip.source} {chip.name}" + (", labels outlined" if labels else "")
    return image(picture[:side, :side], words)


def image(picture: NDArray[np.uint8], words: str) -> str:
    """`<img>` with a PNG inside."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(words)}">'


def masks(some: Sequence[Mask], side: int = 128) -> str:
    """`<img>` of masks in one row, each about `side` pixels a side, cloud white."""
    cells = []
    for mask in some:
        factor = max(1, min(mask.shape) // side)
        small = mask[::factor, ::factor][:side, :side]
        cell = np.full((side + 4, side + 4), 200, dtype=np.uint8)
        cell[2 : 2 + small.shape[0], 2 : 2 + small.shape[1]] = np.where(small, 255, 30)
        cells.append(cell)
    return image(np.concatenate(cells, axis=1), "Cloud masks, cloud white")


def ranges(
    title: str, lines: Sequence[tuple[str, Sequence[tuple[float, float, float]]]], top: float
) -> str:
    """SVG: per line three bars from 5 to 95 % with a tick at the median, 0 to `top`."""
    left, width, row = 52, 300, 34
    height = row * len(lines) + 18
    parts = []
    for number, (name, spreads) in enumerate(lines):
        base = number * row + 6
        parts.append(f'<text x="0" y="{base + 14}">{escape(name)}</text>')
        for n, ((low, half, high), colour) in enumerate(
            zip(spreads, (_GREY, _DARK, _BLUE), strict=True)
        ):
            if not np.isfinite(half):
                continue
            first, mid, last = (
                left + width * min(max(value, 0), top) / top for value in (low, half, high)
            )
            y = base + 8 * n
            parts.append(
                f'<rect x="{first:.1f}" y="{y}" width="{max(last - first, 1):.1f}" height="6" '
                f'rx="2" fill="{colour}"/><rect x="{mid - 1:.1f}" y="{y - 1}" width="2.5" '
                'height="8" fill="#20262b"/>'
            )
    ticks = "".join(
        f'<line x1="{left + width * n / 4}" y1="2" x2="{left + width * n / 4}" '
        f'y2="{height - 14}" stroke="#e4e0d6"/><text x="{left + width * n / 4}" y="{height - 2}" '
        f'text-anchor="middle">{top * n / 4:g}</text>'
        for n in range(5)
    )
    return (
        f'<svg viewBox="0 0 {left + width + 14} {height}" role="img" '
        f'aria-label="{escape(title)}: ranges per band">{ticks}{"".join(parts)}</svg>'
    )


def curves(
    title: str, first: Sequence[float], second: Sequence[float], names: Sequence[str]
) -> str:
    """SVG: two curves over the same named steps, grey the world, blue the twin."""
    left, width, height = 36, 300, 120
    top = max([*first, *second, 1e-9]) * 1.1
    step = width / max(len(names) - 1, 1)

    def path(values: Sequence[float]) -> str:
        return " ".join(
            f"{left + n * step:.1f},{height * (1 - value / top):.1f}"
            for n, value in enumerate(values)
        )

    marks = "".join(
        f'<text x="{left + n * step:.1f}" y="{height + 14}" text-anchor="middle">'
        f"{escape(name)}</text>"
        for n, name in enumerate(names)
    )
    scale = "".join(
        f'<line x1="{left}" x2="{left + width}" y1="{height * (1 - n / 2.2):.1f}" '
        f'y2="{height * (1 - n / 2.2):.1f}" stroke="#e4e0d6"/>'
        f'<text x="0" y="{height * (1 - n / 2.2) + 4:.1f}">{top * n / 2.2:.2f}</text>'
        for n in range(3)
    )
    line = '<polyline points="{}" fill="none" stroke="{}" stroke-width="2.5"/>'
    drawn = line.format(path(first), _DARK) + line.format(path(second), _BLUE)
    return (
        f'<svg viewBox="0 0 {left + width + 24} {height + 18}" role="img" '
        f'aria-label="{escape(title)}">{scale}{drawn}{marks}</svg>'
    )
