"""`python -m nndacss.simulate.probav_files FOLDER`: write a simulated Proba-V product and name it.

The same seed, rows, columns and cover as for `python -m nndacss.simulate` give the same place and
moment, as Proba-V sees it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nndacss.errors import NndacssError
from nndacss.simulate.__main__ import PLACES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate.probav_files",
        description="Write a simulated Proba-V product (Level 2A, HDF5) with its truth.",
    )
    parser.add_argument("folder", help="where the product goes; made where missing")
    parser.add_argument("--product", choices=("100M", "333M", "1KM"), default="333M")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another place (0)")
    parser.add_argument("--rows", type=int, default=1000, help="height in 30 m pixels (1000)")
    parser.add_argument("--columns", type=int, default=1000, help="width in 30 m pixels (1000)")
    parser.add_argument("--cover", type=float, default=0.2, help="share of clouds, 0 to 1 (0.2)")
    parser.add_argument("--south", action="store_true", help="a place on the southern hemisphere")
    asked = parser.parse_args(arguments)
    # h5py and rasterio come with it: not before the arguments are right
    from nndacss.simulate.probav_product import write_probav

    place = dict(PLACES["south" if asked.south else "north"])
    place.pop("path_row")
    west, north = place.pop("west"), place.pop("north")
    bounds = west, north - 30 * asked.rows, west + 30 * asked.columns, north
    options = {"seed": asked.seed, "cover": asked.cover, "product": asked.product, **place}
    try:
        made = write_probav(asked.folder, bounds=bounds, **options)
    except NndacssError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{made.path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
