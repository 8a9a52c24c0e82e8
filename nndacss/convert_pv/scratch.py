"""The 90 m image between the two passes: floats in a file without a name, on disk.

The file is in the work folder and vanishes with the process, however that ends. It is mapped anew
for each access, so that what was touched does not stay in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from nndacss.errors import OutputError, complain
from nndacss.raster import Pixels


class Scratch:
    """(layers, rows, columns) float32. Several threads may use it, each its own rows."""

    def __init__(self, file: IO[bytes], shape: tuple[int, int, int]) -> None:
        self._file, self.shape = file, shape

    def put(self, rows: slice, layers: Pixels) -> None:
        """Write whole rows of all layers."""
        np.memmap(self._file, np.float32, "r+", shape=self.shape)[:, rows] = layers

    def get(self, rows: slice, columns: slice) -> Pixels:
        """A copy of a window of all layers."""
        image = np.memmap(self._file, np.float32, "r", shape=self.shape)
        return np.array(image[:, rows, columns])


@contextmanager
def scratch(folder: Path, shape: tuple[int, int, int]) -> Iterator[Scratch]:
    """An empty image; OutputError where there is no room for it."""
    size = 4 * int(np.prod(shape))
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
        # a file with holes would fail only when it is written, and by a signal
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        found = f"{error.strerror or error} for {size / 1e6:.0f} MB"
        remedy = "free disk space, or choose another work folder"
        raise OutputError(complain(folder, found, "room for the 90 m image", remedy)) from error
    with file:
        yield Scratch(file, shape)
