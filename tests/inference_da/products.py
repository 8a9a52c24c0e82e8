"""Small Proba-V products of all layouts."""

from __future__ import annotations

import h5py
import numpy as np
from scipy import ndimage

from nndacss.readers.probav import BANDS

#: All bands covered and good, over land, clear.
GOOD = 0b1111_1111_1000
SHAPE = (70, 91)


def write(path, level="LEVEL2A", *, converted=False, packing="gzip", origin=None, seed=0):
    """As the agency or ConvertPV writes them: smooth counts, a corner and a line missing."""
    rng = np.random.default_rng(seed)
    status = np.full(SHAPE, GOOD, dtype=np.uint16)
    status[40:44] ^= 1 << 9  # NIR has no data there
    with h5py.File(path, "w") as file:
        for number, band in enumerate(BANDS):
            smooth = ndimage.gaussian_filter(rng.uniform(0, 1, SHAPE), 2)
            counts = np.rint(800 + 4000 * (smooth - smooth.mean())).astype(np.int16)
            counts[:12, :20] = -1
            if number == 2 or level != "LEVEL2A" or converted:
                counts[40:44] = -1
            name = f"{level}/RADIOMETRY/{band}/TOA"
            dataset = file.create_dataset(name, data=counts, compression=packing, chunks=(32, 32))
            place = ["Geographic Lat/Lon", "0.5", "0.5", "10.0", "50.0", str(1 / 336)]
            dataset.attrs["MAPPING"] = np.array([*place, place[-1], "WGS84", "Degrees"], "S")
            dataset.attrs["SCALE"], dataset.attrs["OFFSET"] = np.float32([2000]), np.float32([0])
        if not converted:
            file.create_dataset(f"{level}/QUALITY/SM", data=status)
            file.attrs["OBSERVATION_START_DATE"] = np.array([b"2014-07-05"])
            file.attrs["OBSERVATION_START_TIME"] = np.array([b"09:59:13"])
        else:
            file.attrs["class_image"] = "Landsat8"
            file.attrs["START_DATE"] = "2014-07-05 09:59:13"
        if origin is not None:
            file.attrs["ORIGIN"] = origin
    return path
