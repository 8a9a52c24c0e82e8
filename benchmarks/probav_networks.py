"""Speed of the Proba-V networks, and time and memory of the stage that uses them.

    python benchmarks/probav_networks.py --weights FOLDER         seconds per Mpx, one table
    python benchmarks/probav_networks.py --stage 2048 4096        the stage on products so large

FOLDER holds the published `full.hdf5` and `cloud_detection_l8.hdf5`; without it networks of the
same size with random weights are measured, which takes as long. "plain" is the network as it was
loaded, on the whole image with all threads; "ours" is what the stage does, halo and threads
included, from reflectance in memory to results in memory; "original" is the published program's
way on the whole image in a process of its own, where TensorFlow is installed
(`probav_original.py`). Runs take turns; medians, and least to most. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from nndacss.models.runtime import prepare_cpu

prepare_cpu()

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import probav_original  # noqa: E402
import torch  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from nndacss.inference_da.plan import Wanted, inference_order  # noqa: E402
from nndacss.models.card import save_weights  # noqa: E402
from nndacss.models.cyclegan import Generator  # noqa: E402
from nndacss.models.keras_weights import load_cloud_net, load_generator  # noqa: E402
from nndacss.models.probav_card import ROLES, CloudCard, GeneratorCard, published  # noqa: E402
from nndacss.models.probav_networks import (  # noqa: E402
    DETECT,
    TRANSLATE,
    CloudDetector,
    Translator,
    in_tiles,
)
from nndacss.models.separable_unet import CloudNet  # noqa: E402
from nndacss.raster import Pixels  # noqa: E402
from nndacss.readers.probav import BANDS  # noqa: E402

#: Seconds per Mpx that are asked for on two cores.
TARGETS = {"generator": 0.35, "cloud": 0.25}

Network = Generator | CloudNet


def image(side: int) -> Pixels:
    """(4, side, side) reflectance; speed does not depend on it."""
    return np.random.default_rng(0).random((4, side, side), dtype=np.float32)


def networks(folder: Path | None) -> dict[str, Callable[[], Network]]:
    """What loads each network, published or random."""
    if folder is None:
        return {"generator": lambda: Generator().eval(), "cloud": lambda: CloudNet(4).eval()}
    first, second = published(folder)
    return {
        "generator": lambda: load_generator(first),
        "cloud": lambda: load_cloud_net(second),
    }


def timed(call: Callable[[], None]) -> Callable[[], float]:
    """How many seconds a call takes."""

    def run() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return run


def plain(network: Network, pixels: Pixels, threads: int) -> Callable[[], None]:
    """The network as it was loaded."""
    planes = torch.from_numpy(pixels)[None]

    def run() -> None:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            network(planes)

    return run


def ours(network: Network, pixels: Pixels, threads: int) -> Callable[[], None]:
    """As the stage runs it."""
    rows, columns = pixels.shape[1:]
    ready: Callable[[Pixels], Pixels]
    if isinstance(network, Generator):
        ready, cut = Translator(network, threads=threads), TRANSLATE
    else:
        ready, cut = CloudDetector(network, threads=threads), DETECT

    def run() -> None:
        for _ in in_tiles(lambda at: pixels[:, *at], ready, (rows, columns), cut):
            pass

    return run


def speed(folder: Path | None, side: int, threads: int, runs: int) -> Table:
    """Seconds per Mpx of both networks: plain, ours, and the original's where it can run."""
    pixels = image(side)
    calls: dict[tuple[str, str], Callable[[], float]] = {}
    for place, (name, load) in enumerate(networks(folder).items()):
        calls[name, "plain"] = timed(plain(load(), pixels, threads))
        calls[name, "ours"] = timed(ours(load(), pixels, threads))
        if folder is not None and probav_original.installed():
            path = published(folder)[place]
            calls[name, "original"] = probav_original.original(path, side, threads)
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for number in range(runs + 1):
        for key, call in calls.items():
            found = call() / side**2 * 1e6
            if number:  # the first run does not count
                seconds[key].append(found)
    return _table(seconds, f"s per Mpx, {side} x {side}, {threads} threads, float32")


def _table(seconds: dict[tuple[str, str], list[float]], title: str) -> Table:
    """Medians, and how ours compare with the original's."""
    table = Table(title=f"{title}, load {os.getloadavg()[0]:.1f}")
    for column in ("network", "plain", "original", "ours", "ours / original", "at most"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, target in TARGETS.items():
        cells, ratio = [], ""
        for kind in ("plain", "original", "ours"):
            found = sorted(seconds.get((name, kind), []))
            text = f"{median(found):.3f} ({found[0]:.3f} to {found[-1]:.3f})" if found else ""
            cells.append(text)
        if (name, "original") in seconds:
            pairs = zip(seconds[name, "ours"], seconds[name, "original"], strict=True)
            ratio = f"{median(mine / theirs for mine, theirs in pairs):.2f}"
        table.add_row(name, *cells, ratio, f"{target}")
    return table


def product(path: Path, side: int) -> Path:
    """A Level-2A product of `side` x `side` pixels."""
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for band in BANDS:
            dataset = file.create_dataset(
                f"LEVEL2A/RADIOMETRY/{band}/TOA",
                data=random.integers(0, 2000, (side, side), dtype=np.int16),
                chunks=(256, 256),
                compression="gzip",
                compression_opts=1,
            )
            place = ["Geographic Lat/Lon", "0.5", "0.5", "0", "50", *[str(1 / 336)] * 2]
            dataset.attrs["MAPPING"] = np.array([*place, "WGS84", "Degrees"], "S")
            dataset.attrs["SCALE"], dataset.attrs["OFFSET"] = 2000.0, 0.0
        status = np.full((side, side), 0b1111_1111_1000, np.uint16)
        file.create_dataset("LEVEL2A/QUALITY/SM", data=status, compression="gzip")
    return path


def random_weights(folder: Path) -> tuple[Path, Path]:
    """Cards of networks of the published size."""
    stated: dict[str, Any] = {"purpose": "speed", "roles": ROLES, "licence": "", "training": {}}
    stated |= {"sha256": ""}
    generator = GeneratorCard(name="g", source="probav", target="landsat8_oli", **stated)
    save_weights(generator, Generator().state_dict(), folder / "g")
    save_weights(CloudCard(name="c", **stated), CloudNet(4).state_dict(), folder / "c")
    return folder / "g.json", folder / "c.json"


def stage(sides: list[int], threads: int) -> Table:
    """The whole stage in a child process, as its task runs it."""
    table = Table(title=f"inference_da, {threads} threads")
    for title in ("product", "s", "s per Mpx", "peak MiB"):
        table.add_column(title, justify="right")
    for side in sides:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = product(folder / "pv.HDF5", side)
            wanted = Wanted(source, folder / "out.HDF5", *random_weights(folder), device="cpu")
            order = inference_order(wanted)
            command = [sys.executable, "-m", "nndacss.inference_da", str(order.save(folder))]
            command += ["--work", name, "--threads", str(threads)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            subprocess.run(command, check=True, capture_output=True, env=environment)
            (done,) = folder.glob("inference_da/*/stage.json")
            facts = json.loads(done.read_text())
        seconds = facts["seconds"]
        numbers = f"{seconds:.1f}", f"{seconds / side**2 * 1e6:.2f}", f"{facts['peak_mib']}"
        table.add_row(f"{side} x {side}", *numbers)
    return table


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help="folder with the published files")
    parser.add_argument("--side", type=int, default=1536)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stage", type=int, nargs="+", metavar="SIDE")
    given = parser.parse_args()
    if given.stage:
        table = stage(given.stage, given.threads)
    else:
        table = speed(given.weights, given.side, given.threads, given.runs)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
