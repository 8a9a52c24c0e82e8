"""Harmonizers beside simple methods, against truth, on real Landsat, and on matched spectra.

    python benchmarks/harmonizers.py --pairs pairs.h5 --weights harmonizer_detail_v1
    python benchmarks/harmonizers.py --real --spectra --data ../shared/data --weights ...

`--pairs`: per kind of pair (simulated twin, degraded real Sentinel-2), with pan and without, each
method's error per band over all pixels: RMSE, bias, SSIM, PSNR (data range 1), the spectral angle
(SAM) and ERGAS (pixel sizes 10 / 30). Where the truth of B8A, B11 and B12 is known at 20 m only,
these bands are compared as 2 x 2 means, and SAM on 2 x 2 means of all bands. "Without pan" is
every pair with its pan hidden. `bandpass` is the product's local regression on 30 m means of the
pair, since a pair does not hold the scene's own pixels; the classical methods are followed by the
same published coefficients. A rim of each pair is left out: no method sees its surroundings there.

`--real`: real Landsat crops, without truth. The output is brought back: the spectral step undone,
blurred by the OLI point spread, averaged to the scene's own pixels, minus the scene; beside it
sharpness (energy of gradients over that of cubic) and seams between windows. `--spectra`: the
spectral step alone on 8,940 matched spectra.

Weights are names or paths; `a,b` is an ensemble of two.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from harmonizer_methods import BANDPASS, PLAIN, Network, methods
from pansharpening import CLASSICAL
from real_crops import measure_real, show_real
from rich.console import Console
from rich.table import Table
from spectra_pairs import measure_spectra, show_spectra

from nndacss.errors import NndacssError
from nndacss.metrics.image import Sums, compare, relative_error
from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.store import PairStore
from nndacss.raster import Pixels

#: High resolution's pixel size over the low one's, for ERGAS.
RATIO = 10 / 30
#: Bands whose truth may be known at 20 m only.
COARSE = np.array([role in ("nir08", "swir16", "swir22") for role in ROLES])
#: Metrics of which less is better; of bias, less in size.
SMALLER = ("rmse", "bias", "sam", "ergas")
#: Two biases that are nearer than the step in which reflectance is stored are even.
STEP = 0.0001

Scores = dict[str, dict[str, float]]
"""Metric -> band (or `all`) -> value."""


@dataclass(frozen=True)
class Column:
    """What is kept apart."""

    kind: str
    """`twin`, `degraded` or `same_day`."""
    level: str
    """`SR`, or `TOA` where the source has nothing else."""
    coarse: bool
    """Whether the truth of B8A, B11 and B12 is known at 20 m only."""
    pan: bool

    def __str__(self) -> str:
        origin = {"twin": "simulated twin", "degraded": "real Sentinel-2, degraded"}
        words = origin.get(self.kind, self.kind) + (
            "" if self.level == "SR" else f" ({self.level})"
        )
        bands = "B8A B11 B12 at 20 m" if self.coarse else "all bands at 10 m"
        pan = "with pan" if self.pan else "without pan"
        return f"{words}, {pan}, {bands}"


@dataclass
class Tally:
    """One method on one column."""

    fine: Sums = field(default_factory=lambda: Sums.zero(len(ROLES)))
    """At 10 m."""
    coarse: Sums = field(default_factory=lambda: Sums.zero(len(ROLES)))
    """At 20 m."""

    def add(self, estimate: Pixels, truth: Pixels) -> None:
        """One pair."""
        self.fine += compare(estimate, truth)
        self.coarse += compare(halved(estimate), halved(truth))

    def scores(self, column: Column) -> Scores:
        """Each band at the pixel size at which its truth is known."""
        at_20 = COARSE & column.coarse
        found: Scores = {}
        for metric in ("rmse", "bias", "ssim", "psnr"):
            both = (getattr(sums, metric)() for sums in (self.coarse, self.fine))
            found[metric] = dict(zip(ROLES, np.where(at_20, *both).tolist(), strict=True))
        errors = np.array(list(found["rmse"].values()))
        found["sam"] = {"all": (self.coarse if column.coarse else self.fine).sam()}
        found["ergas"] = {"all": relative_error(errors, self.fine.mean(), RATIO)}
        return found


def halved(pixels: Pixels) -> Pixels:
    """Means of 2 x 2 pixels, from the first pixel on; NaN where one of the four is missing."""
    bands, rows, columns = pixels.shape
    even = pixels[:, : rows // 2 * 2, : columns // 2 * 2]
    means: Pixels = even.reshape(bands, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
    return means


def chosen(store: PairStore, limit: int | None) -> list[int]:
    """All pairs, or at most `limit` of each kind, drawn with a fixed seed, in their order."""
    kinds = np.array([record.kind for record in store.records])
    found: list[int] = []
    for kind in np.unique(kinds):
        indexes = np.flatnonzero(kinds == kind)
        if limit is not None and len(indexes) > limit:
            indexes = np.random.default_rng(0).choice(indexes, limit, replace=False)
        found += indexes.tolist()
    return sorted(found)


def views(store: PairStore, index: int) -> Iterator[tuple[Column, Pixels, Pixels]]:
    """A pair as it is and with its pan hidden: column, input, truth where the input is whole."""
    record = store.records[index]
    inputs, truth = store.read(index)
    truth = np.where(np.isnan(inputs[:-1]).any(axis=0), np.float32(np.nan), truth)
    if not np.isnan(inputs[-1]).all():
        yield Column(record.kind, record.level, record.coarse_truth, True), inputs, truth
    hidden = inputs.copy()
    hidden[-1] = np.nan
    yield Column(record.kind, record.level, record.coarse_truth, False), hidden, truth


def measure(
    store: PairStore, networks: Sequence[Network], limit: int | None, rim: int
) -> list[dict[str, Any]]:
    """Scores of every method, column by column; pairs are read one at a time."""
    tallies: dict[Column, dict[str, Tally]] = {}
    counts: dict[Column, int] = {}
    inside = np.s_[:, rim : store.side - rim, rim : store.side - rim]
    for index in chosen(store, limit):
        for column, inputs, truth in views(store, index):
            counts[column] = counts.get(column, 0) + 1
            rows = tallies.setdefault(column, {})
            for name, method in methods(column.pan, networks).items():
                rows.setdefault(name, Tally()).add(method(inputs)[inside], truth[inside])
    return [
        {
            "column": str(column),
            "kind": column.kind,
            "level": column.level,
            "pan": column.pan,
            "truth_at_20_m": column.coarse,
            "pairs": counts[column],
            "scores": {name: tally.scores(column) for name, tally in rows.items()},
            "against": {
                network.name: {
                    rival: versus(rows, network.name, names, column)
                    for rival, names in rivals(column).items()
                }
                for network in networks
            },
        }
        for column, rows in sorted(tallies.items(), key=lambda entry: str(entry[0]))
    ]


def rivals(column: Column) -> dict[str, tuple[str, ...]]:
    """Whom a network has to beat: bandpass as the product has it, the best classical method."""
    if not column.pan:
        return {"bandpass": (PLAIN,)}
    return {"bandpass": (BANDPASS,), "the best classical": tuple(CLASSICAL)}


def versus(
    rows: Mapping[str, Tally], name: str, others: Sequence[str], column: Column
) -> dict[str, list[str]]:
    """The cells in which `name` ties with or is worse than the best of `others`."""
    mine = rows[name].scores(column)
    theirs = [rows[other].scores(column) for other in others]
    found: dict[str, list[str]] = {"tie": [], "worse": []}
    for metric, bands in mine.items():
        for band, value in bands.items():
            # how much better it is than the best of them
            if metric in SMALLER:
                lead = min(abs(scores[metric][band]) for scores in theirs) - abs(value)
            else:
                lead = value - max(scores[metric][band] for scores in theirs)
            if metric == "bias" and abs(lead) < STEP:
                found["tie"].append(f"{metric} {band}")
            elif not lead > 0:
                found["worse"].append(f"{metric} {band}")
    return found


def show(columns: Sequence[Mapping[str, Any]], console: Console) -> None:
    """One table a column, one row a metric and band; then where a network does not win."""
    places = {"rmse": "{:.4f}", "bias": "{:+.4f}", "ssim": "{:.4f}", "psnr": "{:.2f}"}
    words = {"rmse": "RMSE", "ssim": "SSIM", "psnr": "PSNR, dB,"}
    words |= {"sam": "SAM, degrees", "ergas": "ERGAS (10 / 30)"}
    for column in columns:
        table = Table(title=f"{column['column']}: {column['pairs']} pairs")
        table.add_column("")
        for name in column["scores"]:
            table.add_column(Path(name).stem, justify="right")
        first = next(iter(column["scores"].values()))
        for metric, bands in first.items():
            for band in bands:
                label = words.get(metric, metric) + ("" if band == "all" else f" {band}")
                cells = [scores[metric][band] for scores in column["scores"].values()]
                table.add_row(label, *(places.get(metric, "{:.3f}").format(cell) for cell in cells))
            table.add_section()
        console.print(table)
    for column in columns:
        for name, against in column["against"].items():
            for rival, cells in against.items():
                verdict = ", ".join(cells["worse"])
                verdict = f"not better in: {verdict}" if verdict else "better in all"
                if cells["tie"]:
                    verdict += f"; even within {STEP:g}: {', '.join(cells['tie'])}"
                console.print(f"{column['column']}; {Path(name).stem} against {rival}: {verdict}")


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path, help="a pair store, held out from training")
    parser.add_argument("--real", action="store_true", help="real Landsat crops")
    parser.add_argument("--spectra", action="store_true", help="matched spectra")
    parser.add_argument("--weights", nargs="*", default=[], help="names or paths; a,b: ensemble")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--limit", type=int, help="at most so many pairs of a kind")
    parser.add_argument("--rim", type=int, default=12, help="10 m pixels left out; even")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    if not (arguments.pairs or arguments.real or arguments.spectra):
        parser.error("give --pairs, --real or --spectra")
    if arguments.rim % 2:
        parser.error("--rim must be even, as 20 m pixels are two")
    console, found = Console(width=150 if sys.stdout.isatty() else 200), {}
    try:
        networks = [Network.load(name) for name in arguments.weights]
        if arguments.pairs:
            store = PairStore(arguments.pairs)
            found["pairs"] = measure(store, networks, arguments.limit, arguments.rim)
            show(found["pairs"], console)
        if arguments.real:
            found["real"] = measure_real(arguments.data, networks)
            show_real(found["real"], console)
        if arguments.spectra:
            found["spectra"] = measure_spectra(arguments.data)
            show_spectra(found["spectra"], console)
    except NndacssError as error:
        raise SystemExit(f"error: {error}") from error
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
