"""`python -m nndacss.simulate.sensitivity`: how the truth changes with its two thresholds.

The truth calls cloud what has an optical thickness of at least 0.3, and shadow where the sun's
beam loses at least 20 %. This prints the share of each class over drawn chips for other choices.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nndacss.simulate.chips import chip
from nndacss.simulate.quality import ranked

THICKNESS = (0.2, 0.3, 0.5)
LOSS = (0.1, 0.2, 0.3)

#: Pixels of a chip, and metres of a pixel.
_SIDE, _METRES = 128, 30


def shares(seeds: Sequence[int]) -> dict[tuple[float, float], NDArray[np.float64]]:
    """(thickness, loss) -> shares of clear, shadow, snow and cloud over the chips of `seeds`."""
    totals = {(t, loss): np.zeros(4) for t in THICKNESS for loss in LOSS}
    for seed in seeds:
        one = chip(seed, "landsat8_oli", "TOA", _METRES, _SIDE, _SIDE)
        none = np.zeros_like(one.snow)
        for (thickness, loss), total in totals.items():
            cloud, shadow = one.thickness >= thickness, one.beam_loss >= loss
            known = ranked(cloud, shadow, one.snow, none)
            total += np.bincount(known.ravel(), minlength=4)
    return {key: total / total.sum() for key, total in totals.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0."""
    parser = argparse.ArgumentParser(
        prog="python -m nndacss.simulate.sensitivity",
        description="How shares of classes change with the thresholds that define the truth.",
    )
    parser.add_argument("--chips", type=int, default=60, help="chips, one a seed from 0 (60)")
    asked = parser.parse_args(arguments)
    sys.stdout.write("cloud from  shadow from    clear  shadow    snow   cloud\n")
    for (thickness, loss), found in shares(range(asked.chips)).items():
        values = "".join(f"{100 * share:7.2f}%" for share in found)
        sys.stdout.write(f"{thickness:10.1f}  {100 * loss:9.0f} %  {values}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
