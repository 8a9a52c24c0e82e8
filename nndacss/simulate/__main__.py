"""`python -m nndacss.simulate FOLDER`: write the default scene and name its two products."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from nndacss.errors import NndacssError

#: Where and when, and the sun that belongs to it.
PLACES: dict[str, dict[str, Any]] = {
    "north": {},
    "south": {
        "epsg": 32655,
        "west": 613_215.0,
        "north": -4_116_195.0,
        "path_row": (91, 86),
        "date": "2026-10-12",
        "sun_azimuth": 42.0,
    },
}

#: A whole scene: its size in 30 m pixels and how far a real swath is turned in its frame.
FULL: dict[str, Any] = {"rows": 7701, "columns": 7601, "swath": 12.0}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate",
        description="Write a simulated Landsat-8 scene (L1TP and L2SP, Collection 2) with truth.",
    )
    parser.add_argument("folder", help="where the product folders go; made where missing")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another place (0)")
    parser.add_argument("--rows", type=int, default=340, help="height in 30 m pixels (340)")
    parser.add_argument("--columns", type=int, default=340, help="width in 30 m pixels (340)")
    parser.add_argument("--full", action="store_true", help="a whole scene, 7601 x 7701 (minutes)")
    parser.add_argument("--cover", type=float, default=0.2, help="share of clouds, 0 to 1 (0.2)")
    parser.add_argument("--south", action="store_true", help="a place on the southern hemisphere")
    parser.add_argument("--archive", action="store_true", help="pack each product as .tar")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with one line on stderr."""
    asked = _parser().parse_args(arguments)
    settings = {"rows": asked.rows, "columns": asked.columns, "seed": asked.seed}
    settings |= {"cover": asked.cover, "archive": asked.archive}
    settings |= PLACES["south" if asked.south else "north"]
    settings |= FULL if asked.full else {}
    from nndacss.simulate.landsat import write_landsat

    try:
        pair = write_landsat(asked.folder, **settings)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{pair.l1}\n{pair.l2}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
