"""Reflectance per class and band: surfaces, clouds thin and thick, shadows, and clear ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.check import pictures, real
from nndacss.simulate.check.parts import Figure, Labelled, Part, Table
from nndacss.simulate.check.statistics import middle, shared, spread
from nndacss.simulate.check.twin import Twin

ROLES = real.BIOME_ROLES[:6]

#: Two distributions agree where at least this much of them is common.
COMMON = 0.5

#: Pixels of one kind that a chip must have to count.
_ENOUGH = 200

KINDS = {
    "thick": "Thick cloud",
    "thin": "Thin cloud",
    "shadow": "Cloud shadow",
    "clear": "Clear ground",
}

Samples = Mapping[str, NDArray[np.float32]]


def clouds(data: Path, twin: Twin) -> Part:
    """Clouds, shadows and clear ground at the top of the atmosphere, against the Biome chips."""
    title = "Clouds, shadows and clear ground, Landsat at the top of the atmosphere"
    tuned, held = real.biome(data, "train"), real.biome(data, "val")
    if not tuned or not held:
        return Part(title, "", missing=("landsat8-biome-chips is absent",))
    sets = {"tuned": tuned, "held": held, "twin": twin.landsat}
    pools = {name: {kind: pooled(chips, kind) for kind in KINDS} for name, chips in sets.items()}
    tables = [_kind_table(kind, pools) for kind in KINDS]
    depth = {name: shadow_depth(chips) for name, chips in sets.items()}
    numbers = {
        "reflectance": {
            kind: {role: {name: spread(pools[name][kind][role]) for name in sets} for role in ROLES}
            for kind in KINDS
        },
        "shadow_over_clear": depth,
    }
    figures = tuple(_bars(kind, pools) for kind in KINDS)
    return Part(title, _TEXT, (*tables, _depth_table(depth)), figures, (), numbers)


_TEXT = (
    "The most useful comparison for learning a mask. The twin was tuned on the chips of the "
    "folder train; the verdicts are about the folder val, other scenes. Their figures were seen "
    "while tuning, and the depth of shadows was set from both folders, so the verdicts are not "
    "wholly independent. Each chip gives at most 2,000 pixels of a kind, so that no scene "
    "rules. Real labels are drawn by people: where thin ends and thick begins is theirs, in the "
    "twin it is optical thickness 2. Two distributions agree where at least half of them is "
    "common."
)


def pooled(chips: Sequence[Labelled], kind: str, most: int = 2000) -> Samples:
    """By role: values of one kind, at most `most` from each chip, evenly picked."""
    parts: dict[str, list[NDArray[np.float32]]] = {role: [] for role in ROLES}
    for chip in chips:
        where = np.flatnonzero(chip.kind(kind))
        where = where[:: max(1, where.size // most)][:most]
        for role in ROLES:
            parts[role].append(chip.band(role).ravel()[where])
    return {role: np.concatenate(part) for role, part in parts.items()}


def _kind_table(kind: str, pools: Mapping[str, Mapping[str, Samples]]) -> Table:
    rows, marks = [], []
    for role in ROLES:
        held, made = pools["held"][kind][role], pools["twin"][kind][role]
        common = shared(held, made)
        rows.append(
            (
                role,
                ranged(pools["tuned"][kind][role]),
                ranged(held),
                ranged(made),
                f"{common:.2f}",
            )
        )
        marks.append(bool(common >= COMMON))
    columns = ("band", "real, tuned on", "real, held back", "twin", "in common")
    return Table(KINDS[kind], columns, tuple(rows), verdict(ROLES, marks), all(marks), tuple(marks))


def ranged(values: NDArray[np.float32]) -> str:
    """Median and the range from 5 to 95 %.

    >>> ranged(np.array([0.1, 0.1, 0.1], dtype=np.float32))
    '0.100 (0.100 to 0.100)'
    """
    values = values[np.isfinite(values)]
    if not values.size:
        return "none"
    low, half, high = spread(values)
    return f"{half:.3f} ({low:.3f} to {high:.3f})".replace("-", "\N{MINUS SIGN}")


def verdict(names: Sequence[str], marks: Sequence[bool]) -> str:
    """What agrees and what does not, in words.

    >>> verdict(("blue", "red"), (True, False))
    'Agrees in 1 of 2; not in red.'
    """
    wrong = [name for name, mark in zip(names, marks, strict=True) if not mark]
    if not wrong:
        return f"Agrees in all {len(marks)}."
    return f"Agrees in {len(marks) - len(wrong)} of {len(marks)}; not in {', '.join(wrong)}."


def shadow_depth(chips: Sequence[Labelled]) -> dict[str, tuple[float, float, float]]:
    """By role: shadow over clear, of medians within a chip: least, middle and most of all chips.

    Only chips with both, and not the clear water and snow that shadows do not fall on: clear
    ground within 10 pixels of a shadow.
    """
    ratios: dict[str, list[float]] = {role: [] for role in ROLES}
    for chip in chips:
        shadow, clear = chip.kind("shadow"), chip.kind("clear")
        clear &= _near(shadow, 10)
        if shadow.sum() < _ENOUGH or clear.sum() < _ENOUGH:
            continue
        for role in ROLES:
            band = chip.band(role)
            ratios[role].append(float(np.median(band[shadow]) / np.median(band[clear])))
    return {
        role: (min(part), middle(part), max(part)) if part else (float("nan"),) * 3
        for role, part in ratios.items()
    }


def _near(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    from scipy import ndimage

    return np.asarray(ndimage.maximum_filter(mask, 2 * reach + 1))


def _depth_table(depth: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Table:
    rows, marks = [], []
    for role in ROLES:
        parts = [depth[name][role] for name in ("tuned", "held", "twin")]
        real_low = min(parts[0][0], parts[1][0])
        real_high = max(parts[0][2], parts[1][2])
        marks.append(bool(real_low <= parts[2][1] <= real_high))
        rows.append((role, *(f"{p[1]:.2f} ({p[0]:.2f} to {p[2]:.2f})" for p in parts)))
    columns = ("band", "real, tuned on", "real, held back", "twin")
    words = verdict(ROLES, marks) + " The twin's middle should lie in the range of real scenes."
    title = "Shadow over clear ground beside it, median within a chip"
    return Table(title, columns, tuple(rows), words, all(marks), tuple(marks))


def _bars(kind: str, pools: Mapping[str, Mapping[str, Samples]]) -> Figure:
    lines = [
        (role, [spread(pools[name][kind][role]) for name in ("tuned", "held", "twin")])
        for role in ROLES
    ]
    top = 1.2 if kind in ("thick", "thin") else 0.6
    return Figure(
        pictures.ranges(KINDS[kind], lines, top),
        f"{KINDS[kind]}: 5 to 95 % and median of reflectance. Grey real (light: tuned on, dark: "
        "held back), blue the twin.",
    )


def surfaces(data: Path, twin: Twin) -> Part:
    """Snow, ice, rock and water at the surface, against labelled points."""
    title = "Surfaces: snow, ice, rock, water"
    if not (data / "spectra").is_dir():
        return Part(title, "", missing=("spectra is absent",))
    archives = real.surfaces(data)
    tables, numbers = [], {}
    for surface in real.SURFACES.values():
        for level, names in _LEVELS.items():
            made = twin.surfaces[level].get(surface)
            world = {name: archives[name][surface] for name in names}
            tables.append(_surface_table(f"{surface.capitalize()}, {level}", world, made))
            numbers[f"{surface}, {level}"] = {
                name: {role: _plain(values) for role, values in part.items()}
                for name, part in {**world, "twin": made or {}}.items()
            }
    return Part(title, _SURFACE_TEXT, tuple(tables), (), (), numbers)


#: Level -> archives of `spectra` that have it.
_LEVELS = {"SR": ("Landsat SR", "Sentinel-2 SR"), "TOA": ("Sentinel-2 TOA",)}

_SURFACE_TEXT = (
    "Points labelled by people on four glaciers of western North America, at the surface (SR) and "
    "at the top of the atmosphere (TOA, without swir22, which the archive lacks). "
    "The twin's values come from many places of its landscape. A band agrees where the twin's "
    "median lies within the 5 to 95 % of either archive. Snow in shadow is shaded by mountains "
    "in the archives, by clouds in the twin. Rock and water are of many more kinds in the world "
    "than on four glaciers; snow and ice are the point here."
)


def _surface_table(title: str, world: Mapping[str, Samples], made: Samples | None) -> Table:
    columns = ("band", *world, "twin")
    roles = [role for role in ROLES if all(role in part for part in world.values())]
    rows, marks = [], []
    for role in roles:
        parts = [part[role] for part in world.values()]
        rows.append((role, *map(ranged, parts), ranged(made[role]) if made else "none"))
        if made:
            half = float(np.median(made[role]))
            spans = [_plain(part) for part in parts]
            marks.append(any(span[0] <= half <= span[2] for span in spans))
    words = verdict(roles, marks) if made else "The twin has none: a mask trained on it saw none."
    agrees = bool(made) and all(marks)
    return Table(title, columns, tuple(rows), words, agrees, tuple(marks))


def _plain(values: NDArray[np.float32]) -> tuple[float, float, float]:
    return spread(values[np.isfinite(values)])


def sensors(data: Path, twin: Twin) -> Part:
    """Landsat against Sentinel-2 on the same surface, band by band."""
    title = "The two sensors on the same ground"
    real_pairs = real.pairs(data)
    if real_pairs is None:
        return Part(title, "", missing=("spectra-pairs is absent",))
    rows, marks, numbers = [], [], {}
    for n, role in enumerate(ROLES):
        world, made = (_line(*both[:, n]) for both in (real_pairs, twin.pairs))
        close = abs(world[0] - made[0]) <= 0.05 and made[2] <= 0.02
        marks.append(close)
        rows.append((role, *(_shown(part) for part in (world, made))))
        numbers[role] = {"real": world, "twin": made}
    columns = ("band", "real", "twin")
    words = verdict(ROLES, marks) + " Slopes should differ by at most 0.05."
    table = Table(
        "Sentinel-2 as slope * Landsat + offset, surface reflectance",
        columns,
        tuple(rows),
        words,
        all(marks),
        tuple(marks),
    )
    text = (
        "Real: spectra of nine airborne scenes seen through both sensors' band responses. Twin: "
        "the same ground rendered for both sensors, without clouds. Near infrared is B5 and B8A."
    )
    return Part(title, text, (table,), (), (), numbers)


def _line(landsat: NDArray[np.float32], sentinel: NDArray[np.float32]) -> tuple[float, ...]:
    """Slope, offset, and standard deviation of what is left."""
    good = np.isfinite(landsat) & np.isfinite(sentinel)
    x, y = landsat[good].astype(np.float64), sentinel[good].astype(np.float64)
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset), float(np.std(y - slope * x - offset))


def _shown(line: tuple[float, ...]) -> str:
    text = f"{line[0]:.3f} * L {line[1]:+.4f}, left over {line[2]:.4f}"
    return text.replace("-", "\N{MINUS SIGN}")
