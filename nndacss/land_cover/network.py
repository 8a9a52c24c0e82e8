"""A land-cover network over an image: tiles with overlap, blended, on any grid.

As the mask's network (`nndacss.mask.network`): tiles lie on a lattice of the image, probabilities
are blended, and only they are brought to the output grid. So neither the grid, nor an area of
interest, nor how the work is shared out changes what is predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from affine import Affine
from odc.geo.geobox import GeoBox

from nndacss.errors import WeightsError, complain
from nndacss.land_cover.plan import named
from nndacss.models.card import LandCoverCard, load_card
from nndacss.models.device import Choice, claim
from nndacss.models.indices import indices_of, with_indices
from nndacss.models.mask_model import block_mean, on_grid, working_factor
from nndacss.models.tiled import Tiled
from nndacss.raster import Pixels

if TYPE_CHECKING:
    from nndacss.models.runner import Network

#: Finished tiles that are kept per thread: those of a row of windows across a part at 10 m, where
#: a mask's are at 20 m or more; seven classes are 0.9 MiB a tile.
KEPT = 64

Probability = Callable[[GeoBox], Pixels]
"""(classes, rows, columns) of a window of any grid, NaN where a band is missing."""


class Readable(Protocol):
    """What a network can look at, e.g. an `nndacss.land_cover.image.Image`."""

    @property
    def roles(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def grid(self) -> GeoBox: ...  # noqa: D102

    def read(self, roles: Sequence[str], rows: slice, columns: slice) -> Pixels:
        """(bands, rows, columns) reflectance of a window of `grid`, NaN where missing."""


@dataclass(frozen=True)
class View:
    """An image as the network sees it."""

    image: Readable
    card: LandCoverCard
    factor: int
    """Pixels of the image a side of one of the network's."""

    @property
    def plane(self) -> GeoBox:
        """The network's pixels."""
        rows, columns = (-(-size // self.factor) for size in self.image.grid.shape)
        own = self.image.grid
        return GeoBox((rows, columns), own.affine @ Affine.scale(self.factor), own.crs)

    def read(self, rows: slice, columns: slice) -> Pixels:
        """(planes, rows, columns): bands in the order of the card, then indices of them."""
        roles = [named(role, self.card, self.image.roles) for role in self.card.bands]
        own = self.image.grid.shape
        at = (
            slice(span.start * self.factor, min(span.stop * self.factor, size))
            for span, size in zip((rows, columns), own, strict=True)
        )
        pixels = block_mean(self.image.read(roles, *at), self.factor)
        return with_indices(pixels, self.card.bands, indices_of(self.card.roles))


def checked_card(path: str, planned: str | None) -> LandCoverCard:
    """The card at `path`; WeightsError where its weights are not those of the recipe."""
    card = load_card(path, LandCoverCard)
    if planned is not None and card.sha256 != planned:
        expected = f"sha256 {planned[:12]}..., as when the map was planned"
        remedy = "run the command again, with the same weights on all machines"
        raise WeightsError(complain(path, f"{card.sha256[:12]}...", expected, remedy))
    return card


@contextmanager
def mapper(
    image: Readable, weights: str, card: LandCoverCard, device: Choice, threads: int
) -> Iterator[Probability]:
    """Hold a device and the network for one image; what is given is safe to call from threads."""
    from nndacss.models.runner import Network

    with claim(device) as held, over(image, Network(Path(weights), held), card, threads) as found:
        yield found


@contextmanager
def over(
    image: Readable, network: Network, card: LandCoverCard, threads: int
) -> Iterator[Probability]:
    """The network over one image."""
    view = View(image, card, working_factor(card, abs(image.grid.affine.a)))
    plane = view.plane
    rows, columns = plane.shape
    required = [card.roles.index(role) for role in card.required]
    layout = replace(network.layout, kept=KEPT)
    with Tiled((rows, columns), view.read, network, required, threads, layout) as tiles:
        yield lambda grid: on_grid(tiles, plane, grid)
