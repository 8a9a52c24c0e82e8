"""Speed of a published Deep-Harmonization network: a plain loop beside our inference form.

    python benchmarks/deep_harmonization.py                        processor, tiles of 256 and 512
    python benchmarks/deep_harmonization.py --variant 6depth-shuffle --sides 256
    python benchmarks/deep_harmonization.py --weights weights/deep_harmonization_5depth-upsample
    python benchmarks/deep_harmonization.py --device cuda          card, batches: Mpx/s

The plain loop is what a user of the published model writes: float32, torch's default memory, tile
after tile, each on all cores. Ours is `prepare` as the pipeline runs it: a tile a core. All forms
take the same tiles, in turn, in one run; ratios are medians over the rounds, so that what else the
machine does falls on both. Seconds are per million pixels of the 10 m grid, tensor in, tensor out.

Without `--weights` the weights are random, of the exact shape: He's normal initialisation for
PReLU of slope 0.25, biases of 0.05, and the last layer scaled so that each band of the result has
mean 0.2 and standard deviation 0.1 over the first tile, like reflectance (torch's own
initialisation would give results near zero, and differences that look small). A random network
spreads rounding over all of its layers: a trained one has not been measured here.
The tiles are patches and noise with the means and spreads of land reflectance.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nndacss.models.card import load_weights
from nndacss.models.deep_harmonization import (
    VARIANTS,
    DeepHarmonization,
    build,
    fill,
    prepare,
)
from nndacss.models.harmonizer_card import DeepArchitecture, HarmonizerCard
from nndacss.models.runtime import prepare_cpu

#: Reflectance of land: blue ... swir22, pan.
MEAN = (0.08, 0.10, 0.11, 0.25, 0.22, 0.15, 0.12)
SPREAD = (0.05, 0.05, 0.06, 0.08, 0.08, 0.07, 0.05)
#: Largest differences from the plain loop that still count as the same result, reflectance.
RMSE, P999 = 0.001, 0.005

Loop = Callable[[list[Tensor]], list[Tensor]]


def tiles(count: int, side: int) -> list[Tensor]:
    """(1, 7, side, side) each: patches of 1 to 64 pixels that the bands share in part."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        total = np.zeros((7, side, side), dtype=np.float32)
        for grain in (1, 4, 16, 64):
            cells = random.random((7, -(-side // grain), -(-side // grain)), dtype=np.float32)
            cells = 0.3 * cells + 0.7 * cells.mean(axis=0)
            patches = cells.repeat(grain, axis=1).repeat(grain, axis=2)[:, :side, :side]
            total += patches * grain**0.5
        total -= total.mean(axis=(1, 2), keepdims=True)
        total /= total.std(axis=(1, 2), keepdims=True)
        scaled = total * np.float32(SPREAD)[:, None, None] + np.float32(MEAN)[:, None, None]
        made.append(torch.from_numpy(scaled.clip(min=0))[None])
    return made


def random_network(depth: int, up: str, example: Tensor) -> DeepHarmonization:
    """As the module says."""
    torch.manual_seed(0)
    network = build(depth, up).eval().requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, a=0.25)
            nn.init.normal_(layer.bias, std=0.05)
    with torch.inference_mode():
        result = network(example)
    factor = 0.1 / result.std(dim=(0, 2, 3))
    last = network.final
    last.weight *= factor[:, None, None, None]
    last.bias.copy_((last.bias - result.mean(dim=(0, 2, 3))) * factor + 0.2)
    return network


def network_of(weights: str | None, variant: str, example: Tensor) -> DeepHarmonization:
    """From weights with their card, or random."""
    if weights is None:
        chosen = VARIANTS[variant]
        return random_network(chosen.depth, chosen.up, example)
    card, tensors = load_weights(Path(weights), HarmonizerCard)
    built = card.built
    if not isinstance(built, DeepArchitecture):
        raise SystemExit(f"{weights}: weights of the family {card.family}")
    return fill(tensors, built.depth, built.up, weights).eval().requires_grad_(False)


def plain(network: nn.Module, threads: int) -> Loop:
    """What anyone writes."""

    def loop(images: list[Tensor]) -> list[Tensor]:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            return [network(image) for image in images]

    return loop


def ours(run: Callable[[Tensor], Tensor], threads: int) -> Loop:
    """A tile a core, as the pipeline does."""
    pool = ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1))
    return lambda images: list(pool.map(run, images))


def compare(network: DeepHarmonization, side: int, mpx: float, rounds: int, threads: int) -> Table:
    """One row a form, on tiles of `side`."""
    images = tiles(max(threads, round(mpx * 1e6 / side**2)), side)
    area = len(images) * side**2 / 1e6
    forms = {
        "plain float32 loop": plain(network, threads),
        "ours, float32": ours(prepare(copy.deepcopy(network), "cpu", "float32"), threads),
        "ours, bfloat16": ours(prepare(copy.deepcopy(network), "cpu", "bfloat16"), threads),
    }
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    results: dict[str, list[Tensor]] = {}
    for number in range(rounds + 1):
        for name, loop in forms.items():
            started = time.perf_counter()
            results[name] = loop(images)
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    table = Table(title=f"{len(images)} tiles of {side} x {side}, {threads} threads")
    for title in ("", "s/Mpx", "times as fast", "RMSE", "99.9 %", "within limits"):
        table.add_column(title, justify="right" if title else "left")
    baseline = "plain float32 loop"
    for name in forms:
        pairs = zip(seconds[baseline], seconds[name], strict=True)
        ratio = statistics.median(first / second for first, second in pairs)
        rate = statistics.median(seconds[name]) / area
        table.add_row(
            name, f"{rate:.2f}", f"{ratio:.2f}", *difference(results[name], results[baseline])
        )
    return table


def difference(found: list[Tensor], expected: list[Tensor]) -> tuple[str, str, str]:
    """RMSE and 99.9th percentile of the differences, reflectance, and whether both are small."""
    error = (torch.cat(found) - torch.cat(expected)).abs().flatten().double().numpy()
    rmse, high = float(np.sqrt((error**2).mean())), float(np.quantile(error, 0.999))
    verdict = "yes" if rmse <= RMSE and high <= P999 else "no"
    return f"{rmse:.6f}", f"{high:.6f}", verdict


def on_card(network: DeepHarmonization, side: int, batch: int, rounds: int) -> Table:
    """Mpx/s of the plain loop and of batches, tensors on the card; needs CUDA."""
    images = [image.cuda() for image in tiles(batch, side)]
    whole = torch.cat(images)
    run = {kind: prepare(copy.deepcopy(network), "cuda", kind) for kind in ("float32", "bfloat16")}
    single = copy.deepcopy(network).cuda()
    torch.backends.cudnn.allow_tf32 = False  # the plain loop is float32 in full
    work = operations(network, side)
    forms: dict[str, Callable[[], Tensor]] = {
        "plain float32 loop": lambda: torch.cat([single(image) for image in images]),
        f"ours, float32, batches of {batch}": lambda: run["float32"](whole),
        f"ours, bfloat16, batches of {batch}": lambda: run["bfloat16"](whole),
    }
    table = Table(title=f"{torch.cuda.get_device_name()}, tiles of {side} x {side}")
    for title in ("", "Mpx/s", "TFLOP/s", "RMSE", "99.9 %", "within limits"):
        table.add_column(title, justify="right" if title else "left")
    expected: list[Tensor] = []
    for name, call in forms.items():
        rates = []
        with torch.inference_mode():
            for _ in range(rounds + 1):
                torch.cuda.synchronize()
                started = time.perf_counter()
                result = call()
                torch.cuda.synchronize()
                rates.append(whole.shape[0] * side**2 / 1e6 / (time.perf_counter() - started))
        expected = expected or [result.cpu()]
        rate = statistics.median(rates[1:])
        speeds = (f"{rate:.2f}", f"{rate * work:.1f}")
        table.add_row(name, *speeds, *difference([result.cpu()], expected))
    return table


def operations(network: nn.Module, side: int) -> float:
    """Multiplications and additions of the published form, 1e12 a Mpx."""
    meta = copy.deepcopy(network).to("meta")
    with FlopCounterMode(display=False) as counter:
        meta(torch.empty(1, 7, side, side, device="meta"))
    return float(counter.get_total_flops()) / side**2 / 1e6


def processor() -> str:
    """Its name, and which bf16 instructions it has, from /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "processor unknown (no /proc/cpuinfo)"
    facts = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    flags = facts.get("flags", "").split()
    bf16 = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags]
    return f"{facts.get('model name', 'processor')}, bf16: {' '.join(bf16) or 'none'}"


def main() -> None:
    """One table a tile size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--variant", choices=list(VARIANTS), default="5depth-upsample")
    parser.add_argument("--weights", help="weights with a card, instead of random ones")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--mpx", type=float, default=0.5, help="area of a round, at least a tile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--batch", type=int, default=16, help="tiles of a batch on a card")
    given = parser.parse_args()
    console = Console(width=100)
    network = network_of(given.weights, given.variant, tiles(1, 256)[0])
    console.print(f"{given.weights or given.variant + ', random weights'}; {processor()}")
    for side in given.sides:
        if given.device == "cuda":
            console.print(on_card(network, side, given.batch, given.rounds))
        else:
            console.print(compare(network, side, given.mpx, given.rounds, given.threads))
    load = os.getloadavg()[0]
    if load > given.threads + 1:
        console.print(f"The machine was busy (load {load:.1f}): seconds are too high.")


if __name__ == "__main__":
    prepare_cpu()
    main()
