"""Speed and memory of the learned mask, beside other programs on the same pixels.

    python benchmarks/mask_speed.py                     speed: one table, one run
    python benchmarks/mask_speed.py --memory 4 64       the mask stage on scenes of 4 and 64 Mpx

The speed table takes one simulated area, given at 10 m (and averaged to 20 m and 30 m), to every
program on the same number of threads. Seconds are per million pixels of the 10 m grid that the
area has, whatever the pixel size that the program was given: what a product costs. They count
everything from reflectance in memory to labels in memory: halo, blending and resampling too, but
not the loading of weights (ukis-csmask loads its small model in each call: it has no other way).

Other programs: `pip install "ukis-csmask[cpu]==1.0.0"` (see benchmarks/requirements.txt), and
s2cloudless where it is installed. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nndacss.labels.climate import SCHEME
from nndacss.mask.settings import DEFAULT_WEIGHTS
from nndacss.mask.weights import installed
from nndacss.models.card import MaskCard, save_weights
from nndacss.models.mask_model import block_mean, load_mask_model
from nndacss.models.segmentation import Architecture, Scaling, build
from nndacss.sensors import REFLECTIVE

Image = NDArray[np.float32]


def image(side: int) -> Image:
    """(6, side, side) reflectance at 10 m: patches and noise; speed does not depend on it."""
    random = np.random.default_rng(0)
    total = np.zeros((6, side, side), dtype=np.float32)
    for grain in (1, 8, 64):
        noise = random.random((6, side // grain + 1, side // grain + 1), dtype=np.float32)
        total += noise.repeat(grain, axis=1).repeat(grain, axis=2)[:, :side, :side]
    return total / 6


def weights(folder: Path) -> str | Path:
    """The default weights, or random ones of the same network: as fast, and worth nothing."""
    if installed(DEFAULT_WEIGHTS):
        return DEFAULT_WEIGHTS
    torch.manual_seed(0)
    architecture = Architecture()
    network = build(architecture, len(REFLECTIVE), len(SCHEME.classes))
    card = MaskCard(
        name="random",
        purpose="speed",
        architecture=architecture,
        roles=REFLECTIVE,
        classes=SCHEME.classes,
        scaling=Scaling(
            offset=dict.fromkeys(REFLECTIVE, 0.2), spread=dict.fromkeys(REFLECTIVE, 0.2)
        ),
        training={},
        licence="none",
        sha256="",
    )
    save_weights(card, network.state_dict(), folder / "random")
    return folder / "random.json"


def ours(name: str | Path, threads: int) -> Iterator[tuple[str, int, Callable[[Image], object]]]:
    """Our model at three pixel sizes."""
    model = load_mask_model(name, "cpu", threads)
    for metres in (10, 20, 30):
        yield model.card.name, metres, lambda pixels, metres=metres: model(pixels, metres=metres)


def ukis(threads: int) -> Iterator[tuple[str, int, Callable[[Image], object]]]:
    """ukis-csmask with both of its models; its authors recommend pixels of about 30 m."""
    try:
        from ukis_csmask.mask import CSmask
    except ImportError:
        return
    names = ["blue", "green", "red", "nir", "swir16", "swir22"]
    for metres, bands in ((10, 4), (10, 6), (30, 4), (30, 6)):

        def call(pixels: Image, bands: int = bands) -> object:
            last = np.ascontiguousarray(np.moveaxis(pixels[:bands], 0, -1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return CSmask(last, names[:bands], "l1c", intra_op_num_threads=threads).csm

        yield f"ukis-csmask 1.0.0, {bands} bands", metres, call


def s2cloudless(threads: int) -> Iterator[tuple[str, int, Callable[[Image], object]]]:
    """s2cloudless on ten bands (ours repeated: its trees take as long)."""
    try:
        from s2cloudless import S2PixelCloudDetector
    except ImportError:
        return
    detector = S2PixelCloudDetector(all_bands=False)
    with contextlib.suppress(AttributeError):
        detector.classifier.classifier.set_params(n_jobs=threads)

    def call(pixels: Image) -> object:
        ten = np.moveaxis(pixels[[0, 0, 2, 3, 3, 3, 3, 3, 4, 5]], 0, -1)
        return detector.get_cloud_masks(np.ascontiguousarray(ten)[None])

    yield "s2cloudless", 10, call


def measure(call: Callable[[Image], object], pixels: Image, runs: int) -> list[float]:
    """Seconds of each run, after one that does not count."""
    call(pixels[:, :300, :300])
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        call(pixels)
        seconds.append(time.perf_counter() - started)
    return seconds


def speed(mpx: float, runs: int, threads: int) -> None:
    """Measure every program and print the table."""
    side = round(math.sqrt(mpx * 1e6) / 6) * 6  # whole pixels at 20 m and 30 m
    at_10 = image(side)
    images = {metres: block_mean(at_10, metres // 10) for metres in (10, 20, 30)}
    area = side**2 / 1e6
    table = Table(title=f"{area:.1f} Mpx at 10 m, {os.cpu_count()} cores, {threads} threads")
    for title in ("program", "given at, m", "s per 10 m Mpx", "least", "most"):
        table.add_column(title, justify="left" if title == "program" else "right")
    with tempfile.TemporaryDirectory() as folder:
        programs = [*ours(weights(Path(folder)), threads), *ukis(threads), *s2cloudless(threads)]
        for name, metres, call in programs:
            rates = [seconds / area for seconds in measure(call, images[metres], runs)]
            numbers = (statistics.median(rates), min(rates), max(rates))
            table.add_row(name, str(metres), *(f"{number:.3f}" for number in numbers))
    Console(width=100).print(table)
    load = os.getloadavg()[0]
    if load > threads + 1:
        print(f"The machine was busy (load {load:.1f}): the figures are too high.")


def memory(sizes: list[float], threads: int, folder: Path) -> None:
    """The mask stage, as its task runs it, on simulated scenes of several sizes."""
    table = Table(title=f"mask stage, {os.cpu_count()} cores, {threads} threads")
    for title in ("Mpx", "seconds", "s/Mpx", "peak MiB"):
        table.add_column(title, justify="right")
    name = weights(folder)
    for mpx in sizes:
        side = round(math.sqrt(mpx * 1e6 / 9))
        place = folder / f"scene-{mpx:g}"
        if not list(place.glob("*_L2SP_*")):
            command = [sys.executable, "-m", "nndacss.simulate", str(place)]
            size = ["--rows", str(side), "--columns", str(side)]
            subprocess.run([*command, *size], check=True, stdout=subprocess.DEVNULL)
        done = stage(next(place.glob("*_L2SP_*")), name, place / "work", threads)
        real = side**2 * 9 / 1e6
        numbers = (real, done["seconds"], done["seconds"] / real, done["peak_mib"])
        table.add_row(
            *(f"{number:.{digits}f}" for number, digits in zip(numbers, (1, 1, 3, 0), strict=True))
        )
    Console(width=100).print(table)


def stage(scene: Path, name: str | Path, work: Path, threads: int) -> dict[str, float]:
    """Run acquire and mask in their child processes; what the mask stage says of itself."""
    from nndacss.chain import plan
    from nndacss.settings import load_settings
    from nndacss.stage import DONE, stage_folder
    from tasks._child import run_child

    changes = ["mask.method=network", f"mask.weights={name}", "mask.device=cpu"]
    orders = plan(scene, None, load_settings(None, changes)).orders
    for kind in ("acquire", "mask"):
        recipe = orders[kind].save(work)
        (stage_folder(work, orders[kind]) / DONE).unlink(missing_ok=True)
        run_child(kind, recipe, work, work, threads, lambda *_: None)
    result: dict[str, float] = json.loads((stage_folder(work, orders["mask"]) / DONE).read_text())
    return result


def main() -> None:
    """Speed, or memory where sizes are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mpx", type=float, default=4, help="size of the area at 10 m")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--memory", type=float, nargs="+", metavar="MPX", help="sizes of scenes")
    parser.add_argument("--folder", type=Path, help="keep scenes here")
    arguments = parser.parse_args()
    if not arguments.memory:
        speed(arguments.mpx, arguments.runs, arguments.threads)
        return
    with tempfile.TemporaryDirectory() as temporary:
        memory(arguments.memory, arguments.threads, arguments.folder or Path(temporary))


if __name__ == "__main__":
    main()
