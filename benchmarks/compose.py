"""Speed of composition, beside albumentations on the same pixels in the same run; and its errors.

    pip install albumentations==2.0.8 opencv-python-headless    without it: our own rows only
    python benchmarks/compose.py                                speed, six bands of 1024 x 1024
    python benchmarks/compose.py --errors                       what is left of Landsat's brightness

All on one thread. Every program has its turn in every round, so that a busy moment of the machine
hits all of them; shown are medians, least and most. Our times count everything from two images and
labels to the composed image: checks, nodata, copies. albumentations gets the same images with the
bands last, as it wants them, and beta = 0.05, that is 103 x 103 low frequencies, as ours does.

Errors: simulated Landsat chips of 7.7 km, and a harmonized image that a network without clouds in
its training might make of them: what is brighter than 0.25 is dulled by up to 30 %, and edges are
sharper. Both smoothed over 80 m; shown is the root mean square of their differences by class, all
bands and chips together.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter

from nndacss.compose import bicubic, by_class, fourier, histogram, mix_channels
from nndacss.compose.options import ComposeOptions
from nndacss.compose.views import Composed, Views
from nndacss.harmonize.bandpass import adjust
from nndacss.labels.climate import Climate
from nndacss.raster import Pixels
from nndacss.sensors import REFLECTIVE
from nndacss.simulate.chips import chip

#: What the rows are compared with.
REFERENCE = "albumentations FDA"
Call = Callable[[], object]


def images(side: int) -> tuple[Pixels, Pixels]:
    """Landsat and harmonized, (6, side, side) each: speed does not depend on what they show."""
    random = np.random.default_rng(0)
    landsat = random.random((6, side, side), dtype=np.float32) * np.float32(0.6)
    return landsat, landsat * np.float32(0.9) + np.float32(0.02)


def labels(side: int) -> NDArray[np.uint8]:
    """One third cloud and shadow, in one piece."""
    codes = np.zeros((side, side), dtype=np.uint8)
    codes[: side // 4], codes[side // 4 : side // 3] = 3, 1
    return codes


def ours(landsat: Pixels, harmonized: Pixels) -> Iterator[tuple[str, Call]]:
    """Every method, in production."""
    beta = {"fourier": {"by": "beta", "beta": 0.05}}
    for name, method, changes in (
        ("fourier by beta", fourier.METHOD, beta),
        ("fourier by cutoff", fourier.METHOD, {}),
        ("by_class, fourier by cutoff", by_class.METHOD, {}),
        ("by_class, feathered 60 m", by_class.METHOD, {"feather": 60}),
        ("histogram", histogram.METHOD, {}),
        ("mix_channels", mix_channels.METHOD, {}),
        ("bicubic", bicubic.METHOD, {}),
    ):
        options, codes = ComposeOptions.model_validate(changes), labels(landsat.shape[1])

        yield name, partial(_composed, method, landsat, harmonized, codes, options)


def _composed(
    method: Callable[[Views, ComposeOptions, None], Composed],
    landsat: Pixels,
    harmonized: Pixels,
    codes: NDArray[np.uint8],
    options: ComposeOptions,
) -> Composed:
    return method(Views(landsat, harmonized, codes), options, None)


def plain_torch(landsat: Pixels, harmonized: Pixels, beta: float) -> Pixels:
    """The published method in torch, whole real spectra."""
    own, other = (torch.fft.rfft2(torch.from_numpy(image)) for image in (harmonized, landsat))
    amplitude, wanted, half = own.abs(), other.abs(), int(min(landsat.shape[1:]) * beta)
    for rows in (slice(half + 1), slice(-half, None)):
        amplitude[:, rows, : half + 1] = wanted[:, rows, : half + 1]
    adapted = torch.fft.irfft2(torch.polar(amplitude, own.angle()), s=landsat.shape[1:])
    result: Pixels = adapted.numpy()
    return result


def theirs(landsat: Pixels, harmonized: Pixels) -> Iterator[tuple[str, Call]]:
    """The functions of albumentations 2.0, where it is installed."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    try:
        from albumentations.augmentations.mixing import domain_adaptation_functional as library
    except ImportError:
        return
    first, second = (
        np.ascontiguousarray(np.moveaxis(image, 0, -1)) for image in (harmonized, landsat)
    )
    yield REFERENCE, lambda: library.fourier_domain_adaptation(first, second, 0.05)
    name = "albumentations histograms, 8 bit"
    yield name, lambda: library.apply_histogram(first, second, 0.75)


def errors(seeds: int) -> None:
    """Smoothed differences from Landsat by class, of several ways to adapt; prints the table."""
    classes = {name: Climate[name.upper()] for name in ("clear", "shadow", "cloud")}
    table = Table(title=f"RMSE to Landsat, both smoothed, {seeds} simulated chips")
    for title in ("method", *classes, "least value"):
        table.add_column(title, justify="left" if title == "method" else "right")
    ways = {"harmonized": None, "by beta": {"by": "beta"}} | {
        f"by cutoff, blocks of {block} m": {"block": block} for block in (2560, 1280)
    }
    chips = [chip(seed, "landsat8_oli", "TOA", 10, 768, 768, cover=0.3) for seed in range(seeds)]
    for name, way in ways.items():
        squares: dict[str, list[Pixels]] = {label: [] for label in classes}
        least = math.inf
        for one in chips:
            views = Views(one.pixels, _dulled(one.pixels), one.labels)
            options = ComposeOptions.model_validate({"fourier": way or {}})
            image = fourier.METHOD(views, options, None).pixels if way else views.harmonized
            error = _smooth(image) - _smooth(one.pixels)
            least = min(least, float(image.min()))
            for label, code in classes.items():
                squares[label].append(np.square(error[:, one.labels == code]).ravel())
        found = (math.sqrt(np.concatenate(parts).mean()) for parts in squares.values())
        table.add_row(name, *(f"{value:.4f}" for value in found), f"{least:.3f}")
    Console(width=100).print(table)


def _dulled(landsat: Pixels) -> Pixels:
    bands = adjust(landsat, REFLECTIVE, "sentinel-2a")
    sharper = 0.6 * (bands - gaussian_filter(bands, (0, 1.5, 1.5)))
    dulled: Pixels = (bands - 0.3 * np.maximum(bands - 0.25, 0) + sharper).astype(np.float32)
    return dulled


def _smooth(image: Pixels) -> Pixels:
    smooth: Pixels = gaussian_filter(image, (0, 8, 8))
    return smooth


def measure(calls: dict[str, Call], runs: int) -> dict[str, list[float]]:
    """Seconds of each run of each call, in rounds, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(runs + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--errors", action="store_true", help="instead of speed")
    arguments = parser.parse_args()
    if arguments.errors:
        errors(8)
        return
    torch.set_num_threads(1)
    pair = images(arguments.side)
    calls = dict([*theirs(*pair), *ours(*pair)])
    calls["published method in torch"] = lambda: plain_torch(*pair, 0.05)
    seconds = measure(calls, arguments.runs)
    load = os.getloadavg()[0]
    table = Table(title=f"6 x {arguments.side} x {arguments.side}, 1 thread, load {load:.1f}")
    for title in ("method", "s", "least", "most", "FDA's s / these"):
        table.add_column(title, justify="left" if title == "method" else "right")
    for name, runs in seconds.items():
        times = ""
        if REFERENCE in seconds:
            times = f"{statistics.median(seconds[REFERENCE]) / statistics.median(runs):.1f}"
        numbers = (f"{n:.3f}" for n in (statistics.median(runs), min(runs), max(runs)))
        table.add_row(name, *numbers, times)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
