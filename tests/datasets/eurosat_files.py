"""A small EuroSAT, written by hand in the archive's own layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

#: DN of the 13 bands in a file's order: B01 to B08, B09, B10, B11, B12, B8A.
NUMBERS = (1300, 1100, 1000, 900, 1200, 2000, 2400, 2300, 730, 12, 1800, 1100, 2600)


def eurosat(folder: Path, side: int = 4, count: int = 1) -> dict[str, Any]:
    """Patches of two classes; Forest is half as bright as SeaLake."""
    import rasterio

    for kind, share in (("Forest", 0.5), ("SeaLake", 1.0)):
        place = folder / "EuroSAT_MS" / kind
        place.mkdir(parents=True, exist_ok=True)
        for number in range(1, count + 1):
            noise = np.random.default_rng(number).integers(0, 20, (13, side, side))
            counts = (np.array(NUMBERS)[:, None, None] * share + noise).astype(np.uint16)
            profile = {"count": 13, "height": side, "width": side, "dtype": "uint16"}
            with rasterio.open(place / f"{kind}_{number}.tif", "w", "GTiff", **profile) as raster:
                raster.write(counts)
    return {"folder": folder}
