"""Parts to files: compute what is missing, write each part whole, keep what exists.

A stage writes one or more layers (reflectance, source, labels, ...). For each part all layers
are written as drafts and then take their places; a part counts as finished when all of its files
are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.errors import RasterioIOError
from rasterio.windows import Window as RasterWindow

from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.tile.parts import Part, Window

#: Files of a part are read once more and then deleted: fast compression beats small files.
#: A mosaic's reader holds a tile for every file it has open: small tiles keep that little.
_PROFILE = {"driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256}
_PROFILE |= {"compress": "zstd", "zstd_level": 1}


@dataclass(frozen=True)
class Layer:
    """One raster that a stage makes, cut in parts."""

    name: str
    dtype: str
    nodata: int
    bands: tuple[str, ...]
    """Band descriptions, in order."""
    predictor: int = 1
    """TIFF predictor: 2 for smooth numbers, 1 for codes."""


#: Layer name -> (bands, rows, columns) of a whole window.
Compute = Callable[[GeoBox], Mapping[str, NDArray[Any]]]


def part_file(folder: Path, layer: str, part: Part) -> Path:
    """Where a layer's part lies."""
    return folder / "parts" / f"{layer}_{part.name}.tif"


def run_parts(
    parts: Sequence[Part],
    layers: Sequence[Layer],
    folder: Path,
    compute: Compute,
    threads: int,
    progress: Callable[[int, int], None],
) -> int:
    """Compute all missing parts into `folder/parts`; returns how many were computed.

    `compute(grid)` gives every layer's pixels of one whole lattice window; it is called from
    several threads. One part a thread is in flight, so memory does not grow with the scene.
    """
    missing = [part for part in parts if not finished(part, layers, folder)]
    progress(len(parts) - len(missing), len(parts))
    done = len(parts) - len(missing)
    queue = iter(missing)
    with ThreadPoolExecutor(threads) as pool:
        pending: set[Future[None]] = set()

        def submit(count: int) -> None:
            for part in islice(queue, count):
                pending.add(pool.submit(write_part, part, layers, folder, compute))

        submit(threads)
        while pending:
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                _raise_or_cancel(future, pending)
                done += 1
                progress(done, len(parts))
            submit(len(ended))
    return len(missing)


def _raise_or_cancel(future: Future[None], pending: set[Future[None]]) -> None:
    """Pass on a part's error, after calling off the parts that have not begun."""
    error = future.exception()
    if error is not None:
        for other in pending:
            other.cancel()
        raise error


def finished(part: Part, layers: Sequence[Layer], folder: Path) -> bool:
    """Whether all files of a part are there."""
    return all(part_file(folder, layer.name, part).exists() for layer in layers)


def write_part(part: Part, layers: Sequence[Layer], folder: Path, compute: Compute) -> None:
    """Compute one part window by window and write all its layers, whole or not at all."""
    with ExitStack() as stack:
        files = {}
        for layer in layers:
            draft = stack.enter_context(drafted(part_file(folder, layer.name, part)))
            files[layer.name] = (layer, draft)
        try:
            _write_windows(part, files, compute)
        except RasterioIOError as error:
            raise write_error(folder, error) from error


def _write_windows(part: Part, files: Mapping[str, tuple[Layer, Path]], compute: Compute) -> None:
    rows, columns = part.grid.shape
    with ExitStack() as stack:
        targets = {}
        for name, (layer, draft) in files.items():
            target = rasterio.open(
                draft,
                "w",
                width=columns,
                height=rows,
                count=len(layer.bands),
                dtype=layer.dtype,
                nodata=layer.nodata,
                crs=CRS.from_user_input(str(part.grid.crs)),
                transform=part.grid.affine,
                predictor=layer.predictor,
                **_PROFILE,
            )
            targets[name] = stack.enter_context(target)
            target.descriptions = layer.bands
        for window in part.windows():
            for name, pixels in compute(window.grid).items():
                targets[name].write(_kept(pixels, window), window=_place(window))


def _kept(pixels: NDArray[Any], window: Window) -> NDArray[Any]:
    return np.ascontiguousarray(pixels[:, window.keep[0], window.keep[1]])


def _place(window: Window) -> RasterWindow:
    return RasterWindow.from_slices(*window.at)


def write_error(folder: Path, error: Exception) -> OutputError:
    """What GDAL could not write, as our error."""
    remedy = "free disk space or choose another work folder, and run again: finished parts are kept"
    return OutputError(complain(folder, str(error), "a writable place", remedy))
