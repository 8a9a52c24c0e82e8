"""`python -m nndacss.simulate FOLDER`: write the default scene and name its products."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nndacss.errors import NndacssError

#: Where and when, and the sun that belongs to it.
PLACES: dict[str, dict[str, Any]] = {
    "north": {
        "epsg": 32632,
        "west": 613_215.0,
        "north": 5_487_405.0,
        "path_row": (195, 25),
        "date": "2026-04-15",
        "sun_azimuth": 150.0,
    },
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

#: Rows and columns of a whole Sentinel-2 tile.
FULL_TILE = 10_980


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate",
        description="Write simulated products of one place at one moment, with truth: Landsat-8 "
        "(L1TP and L2SP, Collection 2), Sentinel-2 (L1C and L2A SAFE), or both.",
    )
    parser.add_argument("folder", help="where the products go; made where missing")
    parser.add_argument("--sensor", choices=("landsat", "sentinel2", "both"), default="landsat")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another place (0)")
    parser.add_argument("--rows", type=int, default=340, help="height in 30 m pixels (340)")
    parser.add_argument("--columns", type=int, default=340, help="width in 30 m pixels (340)")
    parser.add_argument("--full", action="store_true", help="whole scenes (minutes)")
    parser.add_argument("--cover", type=float, default=0.2, help="share of clouds, 0 to 1 (0.2)")
    parser.add_argument("--south", action="store_true", help="a place on the southern hemisphere")
    parser.add_argument(
        "--level", choices=("both", "L1C", "L2A"), default="both", help="of Sentinel-2 (both)"
    )
    parser.add_argument("--baseline", default="05.11", help="of Sentinel-2, 02.00 to 05.99 (05.11)")
    parser.add_argument("--thickness", action="store_true", help="write cloud thickness, too")
    parser.add_argument("--archive", action="store_true", help="pack products as .tar and .zip")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with one line on stderr."""
    asked = _parser().parse_args(arguments)
    try:
        for path in _write(asked):
            sys.stdout.write(f"{path}\n")
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _write(asked: argparse.Namespace) -> list[Path]:
    """The products, Level 1 before Level 2, Landsat before Sentinel-2."""
    from nndacss.simulate.landsat import write_landsat
    from nndacss.simulate.sentinel2 import write_sentinel2
    from nndacss.simulate.sky import Sky

    place = dict(PLACES["south" if asked.south else "north"])
    path_row = place.pop("path_row")
    size = {"rows": asked.rows, "columns": asked.columns}
    landsat = FULL if asked.full else size
    # One sky for both sensors: its cover is set over Landsat's frame.
    south = place["north"] - 30 * landsat["rows"]
    east = place["west"] + 30 * landsat["columns"]
    sky = Sky(asked.seed, asked.cover).over((place["west"], south, east, place["north"]))
    common = {"seed": asked.seed, "sky": sky, "archive": asked.archive, **place}
    common["thickness"] = asked.thickness
    written: list[Path | None] = []
    if asked.sensor != "sentinel2":
        pair = write_landsat(asked.folder, path_row=path_row, **common, **landsat)
        written += [pair.l1, pair.l2]
    if asked.sensor != "landsat":
        if place["epsg"] == PLACES["south"]["epsg"]:
            common |= {"epsg": place["epsg"] + 100, "north": place["north"] + 10_000_000}
        tile: dict[str, Any] = {
            name: FULL_TILE if asked.full else _tens(n) for name, n in size.items()
        }
        levels: Any = ("L1C", "L2A") if asked.level == "both" else (asked.level,)
        scene = write_sentinel2(
            asked.folder, levels=levels, baseline=asked.baseline, **common, **tile
        )
        written += [scene.l1c, scene.l2a]
    return [path for path in written if path is not None]


def _tens(pixels: int) -> int:
    """10 m pixels that cover 30 m ones, and are whole 60 m ones; one more for the grids' offset."""
    return 6 * -(-(3 * pixels + 5) // 6)


if __name__ == "__main__":
    sys.exit(main())
