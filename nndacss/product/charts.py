"""Small charts as inline SVG: no library, no script, readable by screen readers as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Band -> line colour of its histogram.
COLOURS = {
    "blue": "#3b6fb5",
    "green": "#4a8a4e",
    "red": "#b8493f",
    "nir08": "#8a5a9e",
    "swir16": "#a8742a",
    "swir22": "#6b5b4b",
}
_WIDTH, _HEIGHT, _FOOT = 300, 96, 16


def histogram(role: str, counts: Mapping[str, Any], table: Mapping[str, Any], top: float) -> str:
    """One band: all valid pixels as an area, the clear ones of them as a line.

    `table` gives `low`, `high` and `bins`; the axis runs from 0 to `top` reflectance.
    """
    width = (table["high"] - table["low"]) / table["bins"]
    first = max(0, round((0 - table["low"]) / width))
    last = min(table["bins"], round((top - table["low"]) / width))
    every, clear = counts["all"][first:last], counts["clear"][first:last]
    peak = max([*every, 1])
    colour = COLOURS.get(role, "#55606a")
    area = _points(every, peak)
    base = _HEIGHT - _FOOT
    ticks = "".join(_tick(value, top) for value in _round_steps(top))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Histogram of {role}">'
        f'<path d="M0,{base} L{area} L{_WIDTH},{base} Z" fill="{colour}" fill-opacity=".22"/>'
        f'<polyline points="{_points(clear, peak)}" fill="none" stroke="{colour}" '
        'stroke-width="1.6" stroke-linejoin="round"/>'
        f'<line x1="0" y1="{base}" x2="{_WIDTH}" y2="{base}" stroke="#b9b4a8"/>{ticks}</svg>'
    )


def _points(counts: Sequence[int], peak: int) -> str:
    """Bin middles as `x,y` pairs."""
    step = _WIDTH / max(len(counts), 1)
    room = _HEIGHT - _FOOT - 4
    return " ".join(
        f"{(index + 0.5) * step:.1f},{_HEIGHT - _FOOT - room * count / peak:.1f}"
        for index, count in enumerate(counts)
    )


def _tick(value: float, top: float) -> str:
    x = _WIDTH * value / top
    anchor = "start" if value == 0 else "end" if x > _WIDTH - 12 else "middle"
    base = _HEIGHT - _FOOT
    return (
        f'<line x1="{x:.1f}" y1="{base}" x2="{x:.1f}" y2="{base + 3}" stroke="#b9b4a8"/>'
        f'<text x="{x:.1f}" y="{_HEIGHT - 2}" text-anchor="{anchor}">{value:g}</text>'
    )


def _round_steps(top: float) -> list[float]:
    """Three to six round numbers from 0 to `top`.

    >>> _round_steps(0.5)
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """
    step = next((s for s in (0.05, 0.1, 0.2, 0.5) if top / s <= 5.01), 1.0)
    return [round(index * step, 2) for index in range(int(top / step + 1e-6) + 1)]


def axis_top(table: Mapping[str, Any]) -> float:
    """Where the common axis of all histograms ends: above nearly all clear pixels of every band.

    Where little is clear, above nearly all pixels.
    """
    bands = table["bands"].values()
    enough = all(sum(band["clear"]) > 0.02 * sum(band["all"]) for band in bands)
    key = "clear_p98" if enough else "p98"
    wanted = 1.3 * max([*(band[key] or 0.0 for band in bands), 0.05])
    return next((t for t in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if t >= wanted), 1.2)
