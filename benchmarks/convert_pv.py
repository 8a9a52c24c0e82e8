"""Time and memory of ConvertPV over scene size: `python benchmarks/convert_pv.py`.

A simulated Level-1 scene is laid side by side, mirrored, to a whole scene of 7,701 x 7,601 pixels
with a turned swath, and to a quarter of it, as uncompressed GeoTIFFs (which are in the system's
cache when the stage reads them). The stage is run as its task runs it, `--runs` times each;
seconds are medians from start to end of the process, memory is its peak. `--scene` takes another
Level-1 folder to lay side by side.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nndacss.convert_pv.plan import convert_order
from nndacss.settings import load_settings
from nndacss.simulate.landsat import write_landsat

#: Rows and columns: a quarter of a scene, and a scene.
SIZES = ((3851, 3801), (7701, 7601))
#: Degrees by which a real swath is turned in its frame, near 50 degrees north.
TILT = 12.0
#: As tasks start a stage.
ENVIRONMENT = {
    **os.environ,
    "GDAL_CACHEMAX": "20",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Run:
    """One conversion."""

    seconds: float
    cpu: float
    peak: float
    """MiB."""


def beyond(rows: int, columns: int) -> NDArray[np.bool_]:
    """Where a turned swath leaves its frame without data."""
    y, x = np.ogrid[0:rows, 0:columns]
    right, up = x / columns - 0.5, y / rows - 0.5
    cos, sin = np.cos(np.radians(TILT)), np.sin(np.radians(TILT))
    half = 0.5 / (cos + sin)
    across, along = np.abs(right * cos - up * sin), np.abs(right * sin + up * cos)
    return (across > half) | (along > half)


def enlarge(scene: Path, folder: Path, rows: int, columns: int) -> Path:
    """`scene` side by side in a frame of that size, below `folder`."""
    target = folder / f"{rows}" / scene.name
    target.mkdir(parents=True)
    fill = beyond(rows, columns)
    for number in (1, 2, 4, 5, 6):
        name = f"{scene.name}_B{number}.TIF"
        with rasterio.open(scene / name) as raster:
            band, profile = raster.read(1), raster.profile
        twice = np.pad(band, [(0, size) for size in band.shape], mode="symmetric")
        times = [-(-size // own) for size, own in zip((rows, columns), twice.shape, strict=True)]
        whole = np.tile(twice, times)[:rows, :columns]
        whole[fill] = 0
        profile = {key: profile[key] for key in ("driver", "count", "dtype", "crs", "transform")}
        with rasterio.open(target / name, "w", height=rows, width=columns, **profile) as raster:
            raster.write(whole, 1)
    text = (scene / f"{scene.name}_MTL.txt").read_text()
    for key, size in (("LINES", rows), ("SAMPLES", columns)):
        text = re.sub(rf"(REFLECTIVE_{key}|THERMAL_{key}) = \d+", rf"\1 = {size}", text)
    (target / f"{scene.name}_MTL.txt").write_text(text)
    return target


def convert(scene: Path, folder: Path, resolution: str, threads: int) -> Run:
    """Convert one scene in a fresh process and work folder."""
    settings = load_settings(None, [f"convert_pv.resolution={resolution}"])
    with tempfile.TemporaryDirectory(dir=folder) as place:
        work = Path(place)
        recipe = convert_order(scene, settings).save(work)
        command = [sys.executable, "-m", "nndacss.convert_pv", str(recipe), "--work", place]
        command += ["--output", f"{place}/out", "--threads", str(threads)]
        started = time.perf_counter()
        with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"the stage ended with code {child.returncode}")
        seconds = time.perf_counter() - started
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Run all sizes and resolutions and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each row")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--scene", type=Path, help="a Level-1 folder instead of a simulated one")
    parser.add_argument("--folder", type=Path, help="where to write 0.8 GB; default: temporary")
    arguments = parser.parse_args()
    table = Table(title=f"ConvertPV, {arguments.threads} threads, medians of {arguments.runs}")
    for title in ("rows", "columns", "resolution", "seconds", "of CPU", "peak MiB"):
        table.add_column(title, justify="right")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        scene = arguments.scene or write_landsat(folder, rows=600, columns=600, swath=False).l1
        for rows, columns in SIZES:
            # in a process of its own: a child's peak counts what its parent held when it forked
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                large = pool.submit(enlarge, scene, folder, rows, columns).result()
            for resolution in ("333M", "100M", "1KM"):
                runs = [
                    convert(large, folder, resolution, arguments.threads)
                    for _ in range(arguments.runs)
                ]
                values = (
                    statistics.median(run.seconds for run in runs),
                    statistics.median(run.cpu for run in runs),
                    max(run.peak for run in runs),
                )
                cells = (f"{values[0]:.1f}", f"{values[1]:.1f}", f"{values[2]:.0f}")
                table.add_row(str(rows), str(columns), resolution, *cells)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
