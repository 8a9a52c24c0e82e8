"""Cloud shapes and sizes: masks drawn by people, and the twin's, at the same 20 m pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nndacss.simulate.check import pictures, real
from nndacss.simulate.check.parts import Figure, Mask, Part, Table
from nndacss.simulate.check.statistics import (
    SCALES,
    areas,
    edge_dimension,
    edges_by_scale,
    half_area,
    likeness,
    middle,
    spread,
)
from nndacss.simulate.check.twin import Twin

#: Cover at which masks are compared; fuller and emptier ones have no shape to speak of.
COVERS = ((0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.98))

#: Pixels between places whose likeness is measured: 60 m, 200 m, 600 m, 2 km.
LAGS = (3, 10, 30, 100)

#: Objects under this many pixels are left out of counts: a slip of the pen.
_LEAST = 4


@dataclass(frozen=True)
class Shape:
    """What is counted in one mask."""

    cover: float
    objects: float
    """Objects per 100 km2."""
    half: float
    """Half of the cloud lies in objects of at least this many km2."""
    edges: tuple[float, ...]
    """Edge density at `SCALES`, km per km2."""
    dimension: float
    likeness: tuple[float, ...]
    """At `LAGS`."""


def shape(mask: Mask, metres: float) -> Shape:
    """Count one mask."""
    sizes = areas(mask, metres)
    sizes = sizes[sizes >= _LEAST * metres * metres / 1e6]
    edges = edges_by_scale(mask, metres)
    return Shape(
        cover=float(mask.mean()),
        objects=sizes.size / (mask.size * metres * metres / 1e8),
        half=half_area(sizes),
        edges=tuple(edges),
        dimension=edge_dimension(edges),
        likeness=tuple(likeness(mask, lag) for lag in LAGS),
    )


def shapes(data: Path, twin: Twin) -> Part:
    """The section."""
    title = "Cloud shapes and sizes"
    if not (data / "masks-real-shapes").is_dir():
        return Part(title, "", missing=("masks-real-shapes is absent",))
    held, examples = _counted(list(real.cloud_masks(data))[1::2])
    snowy, _ = _counted(real.cloud_snow_masks(data))
    made, drawn = _counted(twin.masks())
    tables = (
        _cover_table([one.cover for one in held], [one.cover for one in made]),
        *(_shape_table(low, high, held, made) for low, high in COVERS),
        _extra_table(snowy, made),
    )
    figures = [_examples("Real masks", examples), _examples("Masks of the twin", drawn)]
    figures += [_edge_chart(low, high, held, made) for low, high in COVERS]
    numbers = {
        name: {f"{low:g} to {high:g}": _numbers(_within(some, low, high)) for low, high in COVERS}
        for name, some in (("real", held), ("twin", made), ("cloud and snow rasters", snowy))
    }
    kept = tuple(figure for figure in figures if figure is not None)
    return Part(title, _TEXT, tables, kept, (), numbers)


_TEXT = (
    "Real: the Sentinel-2 Cloud Mask Catalogue, 20 km squares drawn by people; the twin's skies "
    "were tuned on every second mask, the table is about the others. Both at 20 m. Masks are "
    "compared at like cover. A row agrees where the twin's median lies within the 10 to 90 % of "
    "the real masks. Edges: kilometres of cloud outline per km2 of scene; their dimension is how "
    "fast they grow as pixels shrink (1 is a straight line). Likeness: correlation of the mask "
    "with itself some way off."
)


def _counted(
    masks: Iterable[tuple[str, Mask, float]], examples: int = 8
) -> tuple[list[Shape], list[Mask]]:
    """Shapes of all masks, and some with both cloud and clear sky to look at, evenly picked."""
    some: list[Shape] = []
    kept: list[Mask] = []
    for _, mask, metres in masks:
        if 0.02 <= mask.mean() < 0.98:
            some.append(shape(mask, metres))
            factor = max(1, min(mask.shape) // 128)
            kept.append(mask[::factor, ::factor])
        else:
            nothing = (float("nan"),)
            some.append(Shape(float(mask.mean()), 0, float("nan"), nothing, 0, nothing))
    return some, kept[:: max(1, len(kept) // examples)][:examples]


def _within(some: Sequence[Shape], low: float, high: float) -> list[Shape]:
    return [one for one in some if low <= one.cover < high]


def _measures(some: Sequence[Shape]) -> dict[str, list[float]]:
    """Named lists of numbers, one a mask."""
    return {
        "objects per 100 km2": [one.objects for one in some],
        "half the cloud in objects over, km2": [one.half for one in some],
        "edges, km per km2": [one.edges[0] for one in some],
        "dimension of edges": [one.dimension for one in some],
        "likeness at 200 m": [one.likeness[1] for one in some],
        "likeness at 600 m": [one.likeness[2] for one in some],
        "likeness at 2 km": [one.likeness[3] for one in some],
    }


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    kept = [value for value in values if np.isfinite(value)]
    if not kept:
        return (float("nan"),) * 3
    low, half, high = np.percentile(kept, (10, 50, 90))
    return float(low), float(half), float(high)


def _text(part: tuple[float, float, float]) -> str:
    return f"{part[1]:.2f} ({part[0]:.2f} to {part[2]:.2f})"


def _shape_table(low: float, high: float, held: Sequence[Shape], made: Sequence[Shape]) -> Table:
    world, twin = _within(held, low, high), _within(made, low, high)
    title = f"Cover {low:.0%} to {high:.0%}: {len(world)} real masks, {len(twin)} of the twin"
    rows, marks = [], []
    if min(len(world), len(twin)) >= 3:
        pairs = zip(_measures(world).items(), _measures(twin).values(), strict=True)
        for (name, first), second in pairs:
            one, two = _range(first), _range(second)
            marks.append(bool(one[0] <= two[1] <= one[2]))
            rows.append((name, _text(one), _text(two)))
    wrong = [row[0] for row, mark in zip(rows, marks, strict=True) if not mark]
    words = f"Not like real ones: {'; '.join(wrong)}." if wrong else "Like real ones in all rows."
    words = words if rows else "Too few masks to judge."
    columns = ("10 to 90 % and median", "real", "twin")
    return Table(title, columns, tuple(rows), words, not wrong if rows else None, tuple(marks))


def _cover_table(held: Sequence[float], made: Sequence[float]) -> Table:
    edges = (0.0, 0.02, 0.2, 0.5, 0.8, 0.98, 1.0001)
    names = ("clear, under 2 %", "2 to 20 %", "20 to 50 %", "50 to 80 %", "80 to 98 %", "overcast")
    shares = [np.histogram(part, edges)[0] / max(len(part), 1) for part in (held, made)]
    rows = tuple(
        (name, f"{one:.0%}", f"{two:.0%}") for name, one, two in zip(names, *shares, strict=True)
    )
    words = (
        "Not meant to agree: most real squares are clear or overcast, which teaches a mask "
        "little; the twin draws more of what lies between."
    )
    return Table("Share of masks by cover", ("cover", "real", "twin"), rows, words, None)


def _extra_table(snowy: Sequence[Shape], made: Sequence[Shape]) -> Table:
    world, twin = _within(snowy, 0.02, 0.98), _within(made, 0.02, 0.98)
    rows = tuple(
        (name, _text(_range(first)), _text(_range(second)))
        for (name, first), second in zip(
            _measures(world).items(), _measures(twin).values(), strict=True
        )
    )
    title = f"All covers: {len(world)} rasters of cloud and snow, {len(twin)} of the twin"
    words = "A second archive, too small to judge by; for orientation."
    return Table(title, ("10 to 90 % and median", "real", "twin"), rows, words, None)


def _examples(title: str, some: Sequence[Mask]) -> Figure | None:
    if not some:
        return None
    return Figure(pictures.masks(some), f"{title}, 20 km a side, cloud white, evenly picked.")


def _edge_chart(
    low: float, high: float, held: Sequence[Shape], made: Sequence[Shape]
) -> Figure | None:
    world, twin = _within(held, low, high), _within(made, low, high)
    if min(len(world), len(twin)) < 3:
        return None
    lines = [
        [middle(one.edges[n] for one in some) for n in range(len(SCALES))] for some in (world, twin)
    ]
    names = [f"{20 * scale} m" for scale in SCALES]
    title = f"Edges by pixel size, cover {low:.0%} to {high:.0%}"
    caption = f"{title}: median km per km2; grey real, blue the twin."
    return Figure(pictures.curves(title, lines[0], lines[1], names), caption)


def _numbers(some: Sequence[Shape]) -> dict[str, object]:
    return {
        "masks": len(some),
        **{name: spread(np.array(values)) for name, values in _measures(some).items()},
    }
