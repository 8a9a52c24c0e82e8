"""Our own small harmonizer: the spectral step plus detail from a residual network.

    mean = step(OLI) + detail - low(detail)

The network works on cells of 3 x 3 pixels of 10 m, i.e. at Landsat's own 30 m, where a layer costs
a ninth: pixels of a cell become channels on the way in and come back from channels on the way
out. `low` is the mean over about 210 m, so that the network brings detail and never moves the
radiometry of a field: that is the spectral step's, which is stated and can be undone.

The standard deviation of the error is predicted beside it, per band and cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndacss.settings import Settings

if TYPE_CHECKING:
    from nndacss.models.detail_network import Detail

#: Pixels a side of a cell: 30 m.
CELL = 3
#: Cells a side over which detail has no mean: 210 m.
LOW = 7
#: Reflectance that becomes 0 and 1 in the input planes: blue ... swir22, pan. Round numbers near
#: mean and spread of land surfaces.
OFFSET = (0.08, 0.10, 0.11, 0.25, 0.22, 0.15, 0.12)
SPREAD = (0.10, 0.10, 0.12, 0.15, 0.15, 0.12, 0.10)
#: Detail of 1 from the network, in reflectance, and the standard deviation before training.
UNIT = 0.02
#: Bounds of the predicted standard deviation, reflectance: below is quantization; errors beyond
#: 0.1 are so rare that what is predicted there is a guess.
LEAST, MOST = 2e-4, 0.1


class DetailArchitecture(Settings):
    """Size of the network."""

    width: int = 48
    """Channels."""
    blocks: int = 3
    """Residual blocks of two convolutions."""
    target: str = "sentinel-2a"
    """Whose bands the spectral step makes."""

    @property
    def reach(self) -> int:
        """10 m pixels by which a result depends on its surroundings: convolutions, then `low`."""
        return CELL * (1 + 2 * self.blocks + 1 + LOW // 2 + 2)


def build(architecture: DetailArchitecture) -> Detail:
    """The network with fresh weights; torch is imported now."""
    from nndacss.models.detail_network import Detail

    return Detail(architecture)
