"""One pass over all pixels of a product: overviews of every sheet, and what can be counted.

Blocks of 512 pixels are read once, in several threads; each gives two levels of overviews for
every sheet, and its counts (`nndacss.product.counts`). Further levels are made from the second,
a sixteenth of the pixels. Memory is a few blocks a thread and does not grow with the scene.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from nndacss.errors import OutputError, complain
from nndacss.identity import drafted
from nndacss.product.pyramid import Codes, chain, levels, recode
from nndacss.product.sheets import Source

#: Pixels a side of what is read at once: a multiple of 4. Larger ones cost memory that grows with
#: the scene until the scene is much larger than they are.
BLOCK = 512
#: Read once and deleted: fast compression beats small files. GDAL opens each overview once a
#: band, with room for a tile: small tiles keep that little.
_PROFILE = {"driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256}
_PROFILE |= {"compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer"}

#: Called with a block's pixels by thing, (bands, rows, columns) each, several blocks at a time.
Count = Callable[[dict[str, Codes]], None]


Progress = Callable[[float], None]


@dataclass(frozen=True)
class _Job:
    """One raster to be halved once or twice."""

    source: Source
    made: tuple[Path, ...]


@contextmanager
def survey(
    sources: Sequence[Source],
    counted: Sequence[Source],
    folder: Path,
    threads: int,
    count: Count,
    progress: Progress,
) -> Iterator[list[list[Path]]]:
    """Pass over all pixels of `counted`, and make the overviews of `sources`.

    Gives the overview files of each source, 2, 4, 8, ... times, which lie in `folder` and vanish
    when the block ends. All rasters share one grid. Raises OutputError where they find no room.
    """
    with rasterio.open((*counted, *sources)[0].path) as first:
        grid = GeoBox.from_rio(first)
    depth = levels(*grid.shape)
    with ExitStack() as stack:
        files = [
            [stack.enter_context(_scratch(folder, source, step)) for step in range(depth)]
            for source in sources
        ]
        jobs = [_Job(source, tuple(made[:2])) for source, made in zip(sources, files, strict=True)]
        _pass(jobs, counted, grid, threads, count, progress)
        for step in range(2, depth, 2):
            rows, columns = (-(-size // 2**step) for size in grid.shape)
            smaller = GeoBox((rows, columns), grid.affine, grid.crs)
            jobs = [
                _Job(_again(job.source, made[step - 1]), tuple(made[step : step + 2]))
                for job, made in zip(jobs, files, strict=True)
            ]
            _pass(jobs, (), smaller, threads, lambda *_: None, lambda *_: None)
        yield files


def _again(source: Source, path: Path) -> Source:
    """An overview as the source of the next ones; its codes are the file's own already."""
    return Source(replace(source.sheet, recode=()), path)


@contextmanager
def _scratch(folder: Path, source: Source, step: int) -> Iterator[Path]:
    """A file with a draft's name, so that the next run sweeps what a killed one leaves."""
    path = folder / f"{source.sheet.thing}_{2 ** (step + 1)}.tif"
    try:
        with drafted(path) as draft:
            yield draft
    finally:
        path.unlink(missing_ok=True)


def _pass(
    jobs: Sequence[_Job],
    counted: Sequence[Source],
    grid: GeoBox,
    threads: int,
    count: Count,
    progress: Progress,
) -> None:
    """All blocks, read once each; the overviews' files are open meanwhile."""
    rasters = {job.source.path for job in jobs} | {source.path for source in counted}
    rows, columns = grid.shape
    places = list(blocks((rows, columns)))
    with ExitStack() as stack:
        readers: SimpleQueue[dict[Path, Any]] = SimpleQueue()
        for _ in range(threads):
            opened = {path: stack.enter_context(_open(path)) for path in sorted(rasters)}
            readers.put(opened)
        writers = [_Writer(job, grid, stack) for job in jobs]

        def one(place: tuple[slice, slice]) -> None:
            opened = readers.get()
            window = Window.from_slices(*place)
            pixels = {path: raster.read(window=window) for path, raster in opened.items()}
            readers.put(opened)
            count({source.sheet.thing: pixels[source.path] for source in counted})
            for writer in writers:
                writer.write(pixels[writer.job.source.path], place)

        try:
            with ThreadPoolExecutor(threads) as pool:
                for done, _ in enumerate(pool.map(one, places), start=1):
                    progress(done / len(places))
        except RasterioIOError as error:
            remedy = "free disk space in the work folder and run again: finished parts are kept"
            found = str(error)
            raise OutputError(complain("overviews", found, "room for them", remedy)) from error


def blocks(shape: tuple[int, int], size: int = BLOCK) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the blocks of a raster, row by row."""
    for row in range(0, shape[0], size):
        for column in range(0, shape[1], size):
            yield (
                slice(row, min(row + size, shape[0])),
                slice(column, min(column + size, shape[1])),
            )


def _open(path: Path) -> Any:
    return rasterio.open(path, sharing=False)


class _Writer:
    """The overviews of one raster, written block by block."""

    def __init__(self, job: _Job, grid: GeoBox, stack: ExitStack) -> None:
        self.job = job
        self._lock = threading.Lock()
        self._files = []
        sheet = job.source.sheet
        for step, path in enumerate(job.made, start=1):
            rows, columns = (-(-size // 2**step) for size in grid.shape)
            affine = grid.affine @ Affine.scale(2**step)
            shape = {"width": columns, "height": rows, "count": len(sheet.bands)}
            kind = {"dtype": sheet.dtype, "nodata": sheet.nodata, "transform": affine}
            file = rasterio.open(path, "w", **shape, **kind, **_PROFILE)
            self._files.append(stack.enter_context(file))

    def write(self, pixels: Codes, place: tuple[slice, slice]) -> None:
        """Halve one block as often as there are files, and put it in."""
        sheet = self.job.source.sheet
        smaller = chain(recode(pixels, sheet), sheet, len(self._files))
        row, column = (part.start for part in place)
        with self._lock:
            for step, (file, codes) in enumerate(zip(self._files, smaller, strict=True), start=1):
                _, rows, columns = codes.shape
                window = Window(column >> step, row >> step, columns, rows)
                file.write(codes, window=window)
