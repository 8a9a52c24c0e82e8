"""`python -m nndacss.simulate.check DATA`: put the twin beside real data, and write a page."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nndacss.errors import InputError, NndacssError, complain
from nndacss.simulate.check.parts import Part

#: Folders of real data that the page knows; at least one must be there.
FOLDERS = (
    *("landsat8-biome-chips", "sentinel2-labelled", "spectra", "spectra-pairs"),
    *("masks-real-shapes", "landsat-c2-crops", "sentinel2-l1c-jp2", "sentinel2-l1c-multires"),
    "sentinel2-l2a-chips",
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate.check",
        description="Compare the simulated twin with real data; write a page and its numbers.",
    )
    parser.add_argument("data", type=Path, help="the folder of real data, ../shared/data")
    parser.add_argument(
        "--page", type=Path, default=Path("twin-check.html"), help="where to (twin-check.html)"
    )
    parser.add_argument("--chips", type=int, default=32, help="chips of the twin (32)")
    parser.add_argument("--skies", type=int, default=100, help="skies of the twin (100)")
    return parser


def check(data: Path, page: Path, chips: int, skies: int) -> list[Part]:
    """Make the page; returns its parts. InputError where `data` is not the folder of real data."""
    if not data.is_dir() or not any((data / name).is_dir() for name in FOLDERS):
        found = "no such folder" if not data.is_dir() else "none of the folders it should hold"
        remedy = "give the folder of real data"
        raise InputError(complain(data, found, f"folders like {FOLDERS[0]}, {FOLDERS[2]}", remedy))
    if min(chips, skies) < 4:
        found = f"{chips} chips, {skies} skies"
        raise InputError(complain("--chips, --skies", found, "at least 4", "ask for more"))
    from nndacss.simulate.check.page import save
    from nndacss.simulate.check.twin import SEED, Twin

    start = time.monotonic()
    twin = Twin(count=chips, skies=skies)
    parts = []
    for section in _sections():
        parts.append(section(data, twin))
        sys.stderr.write(f"{time.monotonic() - start:5.0f} s  {parts[-1].title}\n")
    facts = {
        "Twin": f"{chips} Landsat chips, {max(chips // 3, 1)} of Sentinel-2, {skies} skies",
        "Seeds": f"from {SEED}",
        "Made again by": "python -m nndacss.simulate.check ../shared/data",
    }
    save(parts, facts, page)
    return parts


def _sections() -> tuple[Callable[..., Part], ...]:
    from nndacss.simulate.check import difficulty, gallery, shapes, sharpness, spectra

    return (
        gallery.gallery,
        difficulty.difficulty,
        spectra.clouds,
        spectra.surfaces,
        spectra.sensors,
        shapes.shapes,
        sharpness.sharpness,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with one line on stderr."""
    asked = _parser().parse_args(arguments)
    try:
        parts = check(asked.data, asked.page, asked.chips, asked.skies)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    words = {True: "agrees", False: "differs", None: "-"}
    for part in parts:
        for table in part.tables:
            sys.stdout.write(f"{words[table.agrees]:8}{part.title}: {table.title}\n")
        for line in part.missing:
            sys.stdout.write(f"missing {part.title}: {line}\n")
    sys.stdout.write(f"{asked.page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
