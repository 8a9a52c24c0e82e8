"""The file of pairs: `PV` and `LU`, (n, side, side, 4) reflectance, one pair an index.

Ours (`MakeCycleGANDataset`) and the published one alike; other keys are not looked at.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from nndacss.errors import DatasetError, complain

#: What the published program looks for in its folder, and what ours writes.
NAMES = ("simultaneous_landsatbiomeaspv_64_32.hdf5", "domains.h5")
KEYS = ("PV", "LU")
BANDS = 4
#: Sides are multiples of it: the discriminator halves an image four times.
MULTIPLE = 16
#: Blocks of a file that its fingerprint looks at, and their bytes.
_BLOCKS, _BLOCK = 64, 1 << 16
_REMEDY = "make one with MakeCycleGANDataset, or give the published one"


def find_dataset(place: str | Path) -> Path:
    """The file in a folder, or the file itself; DatasetError where there is none."""
    given = Path(place)
    for path in (given, *(given / name for name in NAMES)):
        if path.is_file():
            return path
    found = "no such file" if not given.is_dir() else "none of them"
    expected = f"a folder with {' or '.join(NAMES)}, or such a file"
    raise DatasetError(complain(given, found, expected, _REMEDY))


def fingerprint(path: Path) -> str:
    """sha256 hex of a file's size and of 64 blocks spread over it: the same for a copy elsewhere.

    Such files have gigabytes; two of one size that differ do so nearly everywhere.
    """
    size = path.stat().st_size
    total = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for number in range(_BLOCKS):
            file.seek(number * max(0, size - _BLOCK) // (_BLOCKS - 1))
            total.update(file.read(_BLOCK))
    return total.hexdigest()


class Pairs:
    """The pairs of a file, open for reading; it can be pickled and forked.

    DatasetError at once where the file is not of this kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._owner = 0
        try:
            shapes = [tuple(self._open()[key].shape) for key in KEYS]
            kinds = [self._open()[key].dtype.kind for key in KEYS]
        except (OSError, KeyError, RuntimeError, AttributeError) as error:
            found = f"what is not such a file ({str(error)[:200]})"
            expected = f"HDF5 with {' and '.join(KEYS)}"
            raise DatasetError(complain(path, found, expected, _REMEDY)) from error
        count, *sides = (*shapes[0], 0, 0, 0)[:4]
        whole = len(shapes[0]) == 4 and sides[0] == sides[1] and sides[0] % MULTIPLE == 0
        if shapes[0] != shapes[1] or not whole or sides[2] != BANDS or kinds != ["f", "f"]:
            found = ", ".join(f"{key} {shape}" for key, shape in zip(KEYS, shapes, strict=True))
            expected = f"both (n, side, side, {BANDS}) float, side a multiple of {MULTIPLE}"
            raise DatasetError(complain(path, found, expected, _REMEDY))
        self.side = int(sides[0])
        self._count = int(count)

    def __len__(self) -> int:
        return self._count

    def read(self, index: int) -> tuple[Any, Any]:
        """Proba-V and Landsat, (4, side, side) float32 each; DatasetError where not all numbers."""
        import numpy as np

        try:
            images = [self._open()[key][index] for key in KEYS]
        except (OSError, RuntimeError) as error:
            found = f"pair {index}, which HDF5 cannot read ({str(error)[:200]})"
            raise DatasetError(
                complain(self.path, found, "a whole file", "get it again")
            ) from error
        for key, image in zip(KEYS, images, strict=True):
            if not np.isfinite(image).all():
                found = f"{key} of pair {index} with values that are no numbers"
                remedy = "leave such pairs out"
                raise DatasetError(complain(self.path, found, "complete patches", remedy))
        pv, lu = (np.moveaxis(image, -1, 0).astype(np.float32) for image in images)
        return pv, lu

    def _open(self) -> Any:
        """This process's file, without a lock: shared disks often have none."""
        import h5py

        if self._file is None or self._owner != os.getpid():
            self._file, self._owner = h5py.File(self.path, "r", locking=False), os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}
