"""Sharpness and noise: real crops and the twin's clear ground at native resolution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nndacss.simulate.check import real
from nndacss.simulate.check.parts import Part, Table
from nndacss.simulate.check.statistics import acutance, middle, noise, spectrum_slope
from nndacss.simulate.check.twin import Twin

#: name -> statistic, and how far the twin's median may lie outside the real range.
MEASURES = {
    "sharpness of edges": (acutance, 0.05),
    "slope of the power spectrum": (spectrum_slope, 0.3),
    "noise over brightness": (lambda plane: noise(plane) / float(np.nanmedian(plane)), 0.003),
}

_TEXT = (
    "Each band of each real crop, and of clear chips of the twin, at the sensor's own pixels. "
    "Sharpness of edges: at the strongest edges, the step between two neighbours over the rise "
    "across four pixels (1 is a perfect step, 0.33 a ramp). Slope of the power spectrum from 20 to "
    "2.5 pixels (0 is white noise, more negative is smoother). Noise: Immerkaer's filter over the "
    "calmest tenth of 8 x 8 blocks, over the median of the band; where nothing is calm it is fine "
    "texture that is counted, so it is an upper limit. A row agrees where the twin's median lies "
    "in the range of the real crops, or just beside it. The real crops are few: some are forest "
    "with cloud, one is coast; they tell sharpness well and texture roughly."
)

Values = dict[tuple[str, str, str], list[float]]


def sharpness(data: Path, twin: Twin) -> Part:
    """The section."""
    title = "Sharpness and noise"
    world, made = _measured(real.crops(data)), _measured(twin.crops())
    if not world:
        return Part(title, "", missing=("no real crops (landsat-c2-crops, sentinel2-...)",))
    kinds = sorted({kind for kind, _, _ in world})
    tables = tuple(_table(kind, world, made) for kind in kinds)
    missing = tuple(
        f"{kind}: no real crops" for kind in sorted({k for k, _, _ in made} - set(kinds))
    )
    numbers = {
        f"{kind}, {role}, {name}": {
            "real": _range(values),
            "twin": _range(made.get((kind, role, name), [])),
        }
        for (kind, role, name), values in world.items()
    }
    return Part(title, _TEXT, tables, (), missing, numbers)


def _measured(crops: Iterable[real.Crop]) -> Values:
    """(kind, role, measure) -> one value a crop."""
    found: Values = defaultdict(list)
    for crop in crops:
        for role, plane in crop.planes.items():
            for name, (measure, _) in MEASURES.items():
                value = measure(plane)
                if np.isfinite(value):
                    found[crop.kind, role, name].append(value)
    return found


def _range(values: list[float]) -> tuple[float, float, float] | None:
    return (min(values), middle(values), max(values)) if values else None


def _shown(part: tuple[float, float, float] | None) -> str:
    if part is None:
        return "none"
    text = f"{part[1]:.3f} ({part[0]:.3f} to {part[2]:.3f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _table(kind: str, world: Values, made: Values) -> Table:
    rows, marks = [], []
    for name, (_, slack) in MEASURES.items():
        for role in sorted({r for k, r, _ in world if k == kind}, key=_order):
            one = _range(world[kind, role, name])
            two = _range(made.get((kind, role, name), []))
            if one is None or two is None:
                continue
            marks.append(bool(one[0] - slack <= two[1] <= one[2] + slack))
            rows.append((f"{name}, {role}", _shown(one), _shown(two)))
    good = sum(marks)
    wrong = [row[0] for row, mark in zip(rows, marks, strict=True) if not mark]
    words = f"Agrees in {good} of {len(marks)} rows" + (
        f"; not in {'; '.join(wrong)}." * bool(wrong)
    )
    crops = max((len(values) for (k, _, _), values in world.items() if k == kind), default=0)
    columns = ("least to most, and median", f"real, {crops} crops", "twin")
    return Table(kind, columns, tuple(rows), words or ".", not wrong, tuple(marks))


def _order(role: str) -> int:
    names = ("blue", "green", "red", "nir", "nir08", "swir16", "swir22")
    return names.index(role)
