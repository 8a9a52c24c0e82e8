"""Real and made chips side by side, the first thing to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nndacss.simulate.check import pictures, real
from nndacss.simulate.check.parts import Figure, Labelled, Part
from nndacss.simulate.check.twin import Twin

_TEXT = (
    "True colour, one stretch for all (white is 80 % reflectance). Cloud is outlined in orange, "
    "shadow in violet: by people in real chips (shadow only in some scenes), from the truth in "
    "the twin. Chips are evenly picked among those that hold both cloud and clear ground, and not "
    "chosen for their looks."
)


def gallery(data: Path, twin: Twin) -> Part:
    """Rows of thumbnails."""
    landsat = [*real.biome(data, "val"), *real.biome(data, "train")]
    others = real.sentinel2(data)
    missing = []
    if not landsat:
        missing.append("landsat8-biome-chips is absent")
    if not others:
        missing.append("sentinel2-labelled is absent")
    rows = (
        ("Landsat, real", landsat),
        ("Landsat, twin", twin.landsat),
        ("Sentinel-2, real", others),
        ("Sentinel-2, twin", twin.sentinel2),
    )
    figures = tuple(_row(title, chips) for title, chips in rows if chips)
    return Part("Real and twin, side by side", _TEXT, (), figures, tuple(missing))


def _row(title: str, chips: Sequence[Labelled], most: int = 6) -> Figure:
    """Chips of one kind, evenly picked: plain above, labels below."""
    mixed = [chip for chip in chips if 0.03 < chip.cloud[chip.valid].mean() < 0.97] or list(chips)
    step = len(mixed) / min(most, len(mixed))
    some = [mixed[int(n * step)] for n in range(min(most, len(mixed)))]
    cells = "".join(
        "<div>" + pictures.thumbnail(chip, False) + pictures.thumbnail(chip, True) + "</div>"
        for chip in some
    )
    size = f"{some[0].metres:g} m" if len({c.metres for c in some}) == 1 else "30 m and 10 m"
    names = ", ".join(chip.name for chip in some)
    return Figure(f'<div class="row">{cells}</div>', f"{title}, pixels of {size}: {names}.")
