"""The Python door of a land-cover network: an array in, labels and probabilities out.

model = load_land_cover_model("weights.json")
result = model(pixels, roles=("blue", "green", "red", "nir"), metres=10)
result.labels, result.probability
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from nndacss.errors import InputError, complain
from nndacss.land_cover.network import over
from nndacss.land_cover.plan import named
from nndacss.models.card import LandCoverCard, load_card
from nndacss.models.device import Choice, choose, hold
from nndacss.models.mask_model import most_likely
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from nndacss.models.runner import Network


@dataclass(frozen=True)
class LandCoverPrediction:
    """Classes of every pixel, and how sure the network was."""

    labels: NDArray[np.uint8]
    """(rows, columns) codes of `nndacss.labels.land_cover.LandCover`, 0 to 6; 255 missing."""
    probability: Pixels
    """(7, rows, columns) float32, 0..1, sum 1, in the order of the codes; NaN where missing."""


def load_land_cover_model(
    name: str | Path, device: Choice = "auto", threads: int | None = None
) -> LandCoverModel:
    """The network `name`: weights in `checkpoints/`, or the path of a card.

    `threads` (default: all cores) is how many tiles are predicted at once on the processor.
    WeightsError where weights are missing, damaged or not of land cover.
    """
    load_card(name, LandCoverCard)
    from nndacss.models.runner import Network

    chosen = "cuda:0" if choose(device) == "cuda" else "cpu"
    return LandCoverModel(Network(name, chosen), name, threads or os.cpu_count() or 1)


class LandCoverModel:
    """Land cover for images that come as arrays. Safe to use from several threads."""

    def __init__(self, network: Network, name: str | Path, threads: int) -> None:
        self._network, self._threads = network, threads
        self.card = load_card(name, LandCoverCard)
        """What the weights are: bands, training data, scores, limits, sha256."""

    def __call__(self, pixels: Pixels, roles: Sequence[str], metres: float) -> LandCoverPrediction:
        """The land cover of one image of any size.

        `pixels` is (bands, rows, columns) float32 surface reflectance (1.0 = 100 %), NaN where
        missing; `roles` names its bands, `metres` is its pixel size. InputError where a band
        lacks that the network needs, or pixels are coarser than it knows.
        """
        lacking = [r for r in self.card.bands if named(r, self.card, roles) not in roles]
        if lacking:
            expected = f"{', '.join(self.card.bands)}, which {self.card.name} needs"
            found = f"no {', '.join(lacking)}"
            raise InputError(complain("roles", found, expected, "give these bands too"))
        image = Array(pixels, tuple(roles), metres)
        device = str(self._network.device)
        with hold(device), over(image, self._network, self.card, self._threads) as field:
            probability = field(image.grid)
        needed = [named(role, self.card, roles) for role in self.card.required]
        missing = np.isnan(pixels[[list(roles).index(role) for role in needed]]).any(axis=0)
        probability[:, missing] = np.nan
        return LandCoverPrediction(most_likely(probability), probability)


@dataclass(frozen=True)
class Array:
    """An array as an image."""

    pixels: Pixels
    roles: tuple[str, ...]
    metres: float

    @property
    def grid(self) -> GeoBox:
        """Pixels of the right size, somewhere."""
        rows, columns = self.pixels.shape[1:]
        return GeoBox((rows, columns), Affine.scale(self.metres, -self.metres), None)

    def read(self, roles: Sequence[str], rows: slice, columns: slice) -> Pixels:
        """A window of some bands."""
        where = [self.roles.index(role) for role in roles]
        window: Pixels = self.pixels[where, rows, columns]
        return window
