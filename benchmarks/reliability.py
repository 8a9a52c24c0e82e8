"""Whether a harmonizer's error is as large as it says: found against predicted, bin by bin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from harmonizer_methods import Network
from harmonizers import COARSE, Column, chosen, halved, views
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nndacss.models.harmonizer_card import ROLES
from nndacss.pairs.store import PairStore
from nndacss.raster import Pixels

#: Edges of the bins of predicted standard deviation, reflectance.
EDGES = np.geomspace(2.5e-4, 0.25, 31)
#: A bin with fewer pixels is not drawn.
ENOUGH = 500


@dataclass
class Reliability:
    """Sums by band and bin of predicted deviation, (bands, bins)."""

    pixels: NDArray[np.float64] = field(default_factory=lambda: _zeros(len(EDGES) + 1))
    squares: NDArray[np.float64] = field(default_factory=lambda: _zeros(len(EDGES) + 1))
    """Of errors."""
    variance: NDArray[np.float64] = field(default_factory=lambda: _zeros(len(EDGES) + 1))
    """As predicted."""
    within: NDArray[np.float64] = field(default_factory=lambda: _zeros(2))
    """Pixels (bands, 2) with an error within one and two deviations."""

    def add(self, band: int, error: Pixels, sigma: Pixels) -> None:
        """One band of one pair; NaN is not counted."""
        known = ~np.isnan(error) & ~np.isnan(sigma)
        size = np.abs(error[known]).astype(np.float64)
        said = sigma[known].astype(np.float64)
        bins = np.digitize(said, EDGES)
        for total, values in (
            (self.pixels, None),
            (self.squares, np.square(size)),
            (self.variance, np.square(said)),
        ):
            total[band] += np.bincount(bins, values, len(EDGES) + 1)
        self.within[band] += [(size <= said).sum(), (size <= 2 * said).sum()]

    def points(self, band: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predicted and found root mean square error of each bin that has enough pixels."""
        enough = self.pixels[band] >= ENOUGH
        counts = self.pixels[band][enough]
        predicted = np.sqrt(self.variance[band][enough] / counts)
        return predicted, np.sqrt(self.squares[band][enough] / counts)

    def coverage(self, band: int) -> tuple[float, float]:
        """Share of pixels within one and two deviations."""
        one, two = self.within[band] / max(self.pixels[band].sum(), 1)
        return float(one), float(two)


def _zeros(columns: int) -> NDArray[np.float64]:
    return np.zeros((len(ROLES), columns))


def reliability(
    store: PairStore, network: Network, limit: int | None, rim: int
) -> dict[Column, Reliability]:
    """Sums over all pairs, read one at a time."""
    found: dict[Column, Reliability] = {}
    inside = np.s_[:, rim : store.side - rim, rim : store.side - rim]
    for index in chosen(store, limit):
        for column, inputs, truth in views(store, index):
            both = network.both(inputs)[inside]
            error, sigma = both[: len(ROLES)] - truth[inside], both[len(ROLES) :]
            sums = found.setdefault(column, Reliability())
            coarse_error, coarse_sigma = halved(error), np.sqrt(halved(np.square(sigma)))
            for band in range(len(ROLES)):
                if column.coarse and COARSE[band]:
                    sums.add(band, coarse_error[band], coarse_sigma[band])
                else:
                    sums.add(band, error[band], sigma[band])
    return dict(sorted(found.items(), key=lambda entry: str(entry[0])))


def show_reliability(found: dict[Column, Reliability], console: Console) -> None:
    """The numbers of the plot, one table a column."""
    for column, sums in found.items():
        table = Table(title=f"Error against prediction: {column}")
        for title in ("band", "pixels", "RMS error", "RMS predicted", "ratio", "in 1", "in 2"):
            table.add_column(title, justify="left" if title == "band" else "right")
        for band, role in enumerate(ROLES):
            count = max(sums.pixels[band].sum(), 1)
            error = np.sqrt(sums.squares[band].sum() / count)
            said = max(np.sqrt(sums.variance[band].sum() / count), 1e-9)
            shares = [f"{share:.1%}" for share in sums.coverage(band)]
            cells = (f"{count:,.0f}", f"{error:.4f}", f"{said:.4f}", f"{error / said:.2f}")
            table.add_row(role, *cells, *shares)
        console.print(table)
