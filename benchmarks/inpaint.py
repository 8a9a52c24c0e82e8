"""Speed of painting clouds with their shadows into 256 x 256 samples of six bands.

    python benchmarks/inpaint.py --bank bank.h5                      our own weights
    python benchmarks/inpaint.py --bank bank.h5 --random             random ones of the same kind
    python benchmarks/inpaint.py --bank bank.h5 --device cuda        networks on a card

Three ways, in turn, on the same samples with the same chance, so that each paints the same clouds:

    optics    pixels by optics alone
    ours      pixels by networks, as GenerateInpaintedSamples does it: a process a core, patches in
              batches of eight (on a card: one process, its batches on the card)
    plain     the same painter, and whole patches one at a time through the same networks as
              trained, under no_grad, torch on all cores

Shown are samples a second, the ratio of ours to plain over the rounds, the largest difference of
any pixel, and peak memory (of one process for ours, without torch's own libraries shared).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy import ndimage

from nndacss.inpaint.bank import MaskBank
from nndacss.inpaint.networks import Networks, open_networks
from nndacss.inpaint.options import PaintOptions
from nndacss.inpaint.painter import Painter, Patch
from nndacss.inpaint.stage import SIZE
from nndacss.inpaint.steps import Mask
from nndacss.models.card import save_weights
from nndacss.models.inpainter import apply, open_network
from nndacss.models.inpainter_card import InpainterCard
from nndacss.models.segmentation import Architecture, Scaling, build
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE

#: Clouds with shadows on clear ground, always thick enough for networks.
MODES = ("clouds_on_empty",)
STRUCTURES = ("cloud", "shadow")


@dataclass(frozen=True)
class Work:
    """What a process paints with."""

    bank: str
    renderer: str
    weights: tuple[tuple[str, str], ...]
    device: str
    side: int

    @property
    def options(self) -> PaintOptions:
        """As settings."""
        return PaintOptions(
            bank=self.bank, modes=MODES, renderer=self.renderer, weights=dict(self.weights)
        )


class Plain:
    """A network as anyone would call it: whole patches one after the other."""

    def __init__(self, name: str) -> None:
        self.card, self.network = open_network(name)

    def restore(self, pixels: Pixels, hole: Mask, roles: Sequence[str] | None = None) -> Pixels:
        """(n, bands, rows, columns) with the holes filled; `roles` are the card's."""
        del roles
        result = pixels.copy()
        for index in range(len(pixels)):
            with torch.no_grad():
                filled = apply(self.card, self.network, pixels[index, None], hole[index, None])
            there = hole[index] & ~np.isnan(pixels[index])
            result[index] = np.where(there, filled[0], pixels[index])
        return result


def patches(first: int, count: int, side: int) -> list[Patch]:
    """Clear ground of fields: speed does not depend on what it shows."""
    made = []
    for number in range(first, first + count):
        rng = np.random.default_rng([5, number])
        fields = rng.uniform(0.04, 0.35, (6, side // 16 + 1, side // 16 + 1))
        ground = fields.repeat(16, axis=1).repeat(16, axis=2)[:, :side, :side]
        ground = ndimage.uniform_filter(ground, (1, 3, 3)) + rng.normal(0, 0.01, ground.shape)
        sets = np.ones((side, side), np.uint16)
        pixels = np.clip(ground, 0.01, 1).astype(np.float32)
        made.append(Patch(pixels, sets, REFLECTIVE, 20.0, (45.0, 140.0), "TOA"))
    return made


def paint(painter: Painter, first: int, count: int, side: int) -> Pixels:
    """(count, bands, side, side) painted."""
    rngs = [np.random.default_rng([6, number]) for number in range(first, first + count)]
    return np.stack([d.pixels for d in painter.paint_batch(patches(first, count, side), rngs)])


@cache
def opened(work: Work) -> Painter:
    """The painter of a worker process."""
    torch.set_num_threads(1)
    networks = open_networks(work.options, REFLECTIVE, "auto" if work.device == "cuda" else "cpu")
    return Painter(MaskBank(work.bank), work.options, networks)


def batch(work: Work, first: int) -> tuple[Pixels, int]:
    """One batch in a worker, and the most memory that this process has had, MiB."""
    done = paint(opened(work), first, SIZE, work.side)
    return done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def in_processes(
    pool: ProcessPoolExecutor, work: Work, samples: int
) -> Callable[[], tuple[Pixels, int]]:
    """All samples, a batch at a time in every process."""

    def run() -> tuple[Pixels, int]:
        running = [pool.submit(batch, work, first) for first in range(0, samples, SIZE)]
        parts = [future.result() for future in running]
        return np.concatenate([part for part, _ in parts]), max(memory for _, memory in parts)

    return run


def one_by_one(work: Work, samples: int, threads: int) -> Callable[[], tuple[Pixels, int]]:
    """All samples in this process."""
    restorers = {name: Plain(work.options.networks[name]) for name in STRUCTURES}
    painter = Painter(MaskBank(work.bank), work.options, Networks(restorers))

    def run() -> tuple[Pixels, int]:
        torch.set_num_threads(threads)
        parts = [paint(painter, first, 1, work.side) for first in range(samples)]
        return np.concatenate(parts), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    return run


def random_weights(folder: Path) -> tuple[tuple[str, str], ...]:
    """Random networks of the default kind, whose norms have seen noise."""
    scaling = Scaling(offset=dict.fromkeys(REFLECTIVE, 0.2), spread=dict.fromkeys(REFLECTIVE, 0.2))
    # as configs/inpainter.toml trains them
    kind = Architecture(encoder="tu-mobilenetv3_small_100", decoder_channels=(48, 32, 24, 16, 16))
    found = []
    for number, structure in enumerate(STRUCTURES):
        torch.manual_seed(number)
        network = build(kind, len(REFLECTIVE), len(REFLECTIVE))
        with torch.no_grad():
            for _ in range(2):
                network.train()(torch.randn(2, 2 * len(REFLECTIVE), 64, 64))
        card = InpainterCard(
            name=structure, purpose="speed", structure=structure, architecture=kind,
            roles=REFLECTIVE, scaling=scaling, training={}, licence="none", sha256="",
        )  # fmt: skip
        save_weights(card, network.state_dict(), folder / structure)
        found.append((structure, str(folder / f"{structure}.json")))
    return tuple(found)


def measure(
    ways: dict[str, Callable[[], tuple[Pixels, int]]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, Pixels], dict[str, int]]:
    """Seconds of each round, what was painted, and memory; the first round does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    painted: dict[str, Pixels] = {}
    memory: dict[str, int] = {}
    for number in range(rounds + 1):
        for name, run in ways.items():
            started = time.perf_counter()
            painted[name], memory[name] = run()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds, painted, memory


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bank", required=True, help="a mask bank")
    parser.add_argument("--random", action="store_true", help="random weights")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--samples", type=int, default=2 * SIZE, help=f"a multiple of {SIZE}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        weights = random_weights(Path(folder)) if asked.random else ()
        optics = Work(asked.bank, "physical", (), "cpu", asked.side)
        network = Work(asked.bank, "network", weights, asked.device, asked.side)
        spawn = multiprocessing.get_context("spawn")
        processes = cores if asked.device == "cpu" else 1
        with (
            ProcessPoolExecutor(cores, spawn) as many,
            ProcessPoolExecutor(processes, spawn) as some,
        ):
            ways = {
                "optics": in_processes(many, optics, asked.samples),
                "ours": in_processes(some, network, asked.samples),
                "plain": one_by_one(network, asked.samples, cores),
            }
            seconds, painted, memory = measure(ways, asked.rounds)
    show(asked, cores, seconds, painted, memory)


def show(
    asked: argparse.Namespace,
    cores: int,
    seconds: dict[str, list[float]],
    painted: dict[str, Pixels],
    memory: dict[str, int],
) -> None:
    """Print the table."""
    print(f"{asked.samples} samples of 6 x {asked.side} x {asked.side}", end=", ")
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}")
    table = Table()
    for column in ("way", "samples/s", "least", "most", "MiB"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, runs in seconds.items():
        rates = sorted(asked.samples / one for one in runs)
        numbers = (f"{value:.1f}" for value in (statistics.median(rates), rates[0], rates[-1]))
        table.add_row(name, *numbers, str(memory[name]))
    Console(width=100).print(table)
    pairs = zip(seconds["plain"], seconds["ours"], strict=True)
    ratio = statistics.median(plain / ours for plain, ours in pairs)
    apart = float(np.nanmax(np.abs(painted["ours"] - painted["plain"])))
    changed = float((np.abs(painted["ours"] - painted["optics"]) > 0.001).mean())
    print(f"ours by plain: {ratio:.2f} times; largest difference {apart:.1e} reflectance")
    print(f"networks paint {changed:.0%} of all pixels")


if __name__ == "__main__":
    main()
