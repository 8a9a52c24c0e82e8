"""One pass over all pixels of a product: overviews of every sheet, and what can be counted.

Blocks of 2048 pixels are read once, in several threads; each gives two levels of overviews for
every sheet, and its counts (`nndacss.product.counts`). Further levels are made from the second,
a sixteenth of the pixels. Memory is a few blocks a thread and does not grow with the scene.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.product.pyramid import Codes, chain, levels, recode
from nndacss.product.sheets import Sheet, Source

#: Pixels a side of what is read at once; two halvings of it are whole tiles.
BLOCK = 2048
#: Read once and deleted: fast compression beats small files.
_PROFILE = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512}
_PROFILE |= {"compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer"}

#: Called with a block's grid and its pixels by thing, (bands, rows, columns) each, several
#: blocks at a time.
Count = Callable[[GeoBox, dict[str, Codes]], None]


@dataclass
class _Level:
    """One overview being written."""

    source: int
    factor: int
    file: Any
    lock: threading.Lock


@contextmanager
def survey(
    sources: Sequence[Source],
    counted: Sequence[Source],
    folder: Path,
    threads: int,
    count: Count,
    progress: Callable[[float], None],
) -> Iterator[list[list[Path]]]:
    """Pass over all pixels of `counted`, and make the overviews of `sources`.

    Gives the overview files of each source, 2, 4, 8, ... times, which lie in `folder` and vanish
    when the block ends. All rasters share one grid.
    """
    both = list({source.path: source for source in (*counted, *sources)}.values())
    with rasterio.open(both[0].path) as first:
        grid = GeoBox.from_rio(first)
    depth = levels(*grid.shape)
    with ExitStack() as stack:
        files = [
            [stack.enter_context(_scratch(folder, source, step)) for step in range(depth)]
            for source in sources
        ]
        _pass(both, sources, grid, [files_[:2] for files_ in files], threads, count, progress)
        for step in range(2, depth, 2):
            upper = [
                Source(source.sheet, files_[step - 1])
                for source, files_ in zip(sources, files, strict=True)
            ]
            smaller = _shrunk(grid, 2**step)
            below = [files_[step : step + 2] for files_ in files]
            _pass(upper, upper, smaller, below, threads, _nothing, _silence)
        yield files


def _shrunk(grid: GeoBox, factor: int) -> GeoBox:
    rows, columns = (-(-size // factor) for size in grid.shape)
    return GeoBox((rows, columns), grid.affine, grid.crs)


def _nothing(_: GeoBox, __: dict[str, Codes]) -> None:
    """Count nothing."""


def _silence(_: float) -> None:
    """Report nothing."""


@contextmanager
def _scratch(folder: Path, source: Source, step: int) -> Iterator[Path]:
    """A draft that never becomes anything else, so a crash leaves what the next run sweeps."""
    kept = folder / f"{source.sheet.thing}_{2 ** (step + 1)}.tif"
    try:
        with drafted(kept) as draft:
            yield draft
    finally:
        kept.unlink(missing_ok=True)
