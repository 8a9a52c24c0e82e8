"""The network of `nndacss.models.detail`, where its idea and constants are."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own custom

from nndacss.harmonize.spectral import step
from nndacss.models.detail import (
    CELL,
    LEAST,
    LOW,
    MOST,
    OFFSET,
    SPREAD,
    UNIT,
    DetailArchitecture,
)

#: Channels between the features and the standard deviation.
DOUBT_WIDTH = 16
#: Bands of ground; pan is one more plane.
BANDS = len(OFFSET) - 1


class Block(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, planes: Tensor) -> Tensor:
        """(n, width, cells, cells) to the same."""
        inner: Tensor = self.second(F.relu(self.first(planes)))
        return planes + inner


class Detail(nn.Module):
    """`(n, 7, rows, columns) -> (mean, log_sigma)`, each (n, 6, rows, columns) float32.

    Input: reflectance of six bands and pan on the 10 m grid, NaN missing; sides are multiples of
    `CELL`. Mean: reflectance of the target's bands, finite everywhere, of no meaning where a band
    is missing. log_sigma: logarithm of the standard deviation of its error.
    """

    calibration: Tensor
    matrix: Tensor
    shift: Tensor
    offset: Tensor
    spread: Tensor

    def __init__(self, architecture: DetailArchitecture) -> None:
        super().__init__()
        width = architecture.width
        self.enter = nn.Conv2d((BANDS + 1) * CELL**2 + 2, width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(width) for _ in range(architecture.blocks))
        self.leave = _quiet(nn.Conv2d(width, BANDS * CELL**2, 3, padding=1))
        self.doubt = nn.Sequential(
            nn.Conv2d(width, DOUBT_WIDTH, 3, padding=1),
            nn.ReLU(),
            _quiet(nn.Conv2d(DOUBT_WIDTH, BANDS, 3, padding=1)),
        )
        self.register_buffer("calibration", torch.zeros(BANDS))
        known = step(architecture.target)
        planes = (-1, 1, 1)
        constants = {
            "matrix": torch.tensor(known.matrix),
            "shift": torch.tensor(known.offset).view(planes),
            "offset": torch.tensor(OFFSET).view(planes),
            "spread": torch.tensor(SPREAD).view(planes),
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        filled, shares = self._filled(pixels)
        cells = self._cells(filled, shares)
        # no matrix product in half precision, which has three digits
        with torch.autocast(pixels.device.type, enabled=False):
            base = torch.einsum("ij,njrc->nirc", self.matrix, filled[:, :BANDS]) + self.shift
        mean = base + without_low(self.leave(cells).float() * UNIT)
        # what is said of the error must not change what is estimated
        doubt = (
            self.doubt(cells.detach()).float() + self.calibration.view(-1, 1, 1) + math.log(UNIT)
        )
        log_sigma = F.interpolate(doubt, scale_factor=CELL, mode="bilinear", align_corners=False)
        return mean, log_sigma.clamp(math.log(LEAST), math.log(MOST))

    def _filled(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels without NaN; (n, 2, cells, cells) shares of ground and of pan that are there."""
        there = ~torch.isnan(pixels)
        if there.all():  # as below, without its cost
            count, _, rows, columns = pixels.shape
            return pixels, pixels.new_ones(count, 2, rows // CELL, columns // CELL)
        ground = there[:, :BANDS].all(dim=1, keepdim=True)
        shown = torch.cat([ground.expand(-1, BANDS, -1, -1), there[:, BANDS:]], dim=1)
        presence = torch.cat([ground, there[:, BANDS:]], dim=1)
        shares = F.avg_pool2d(presence.to(pixels.dtype), CELL)
        return torch.where(shown, pixels, self.offset), shares

    def _cells(self, filled: Tensor, shares: Tensor) -> Tensor:
        """Features (n, width, cells, cells)."""
        planes = (filled - self.offset) / self.spread
        cells = torch.cat([F.pixel_unshuffle(planes, CELL), shares], dim=1)
        cells = F.relu(self.enter(cells.contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            cells = block(cells)
        return cells


def without_low(detail: Tensor) -> Tensor:
    """(n, bands * 9, cells, cells) to (n, bands, rows, columns) without its running mean."""
    means = torch.unflatten(detail, 1, (BANDS, CELL**2)).mean(dim=2)
    low = means
    for side, edge in (((LOW, 1), (LOW // 2, 0)), ((1, LOW), (0, LOW // 2))):
        low = F.avg_pool2d(low, side, stride=1, padding=edge, count_include_pad=False)
    smooth = F.interpolate(low, scale_factor=CELL, mode="bilinear", align_corners=False)
    return F.pixel_shuffle(detail, CELL) - smooth


def _quiet(layer: nn.Conv2d) -> nn.Conv2d:
    """A last layer that says nearly nothing before training."""
    nn.init.normal_(layer.weight, std=1e-3)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
