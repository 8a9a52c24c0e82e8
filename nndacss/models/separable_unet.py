"""The cloud network of the Valencia group: a small U-Net of separable convolutions.

    normalization        one multiplication and addition a band, fixed, not trained
    input, pool1, pool2  blocks of 32, 64 and 128 filters, 2x2 maximum between them
    upconv1, up1         transposed convolution to 64, joined with pool1 (up first), a block
    upconv2, up2         the same to 32, joined with input
    linear_model         1x1 to one logit, whose sigmoid is the probability of cloud

A block is twice [depthwise 3x3 without bias, pointwise with bias, batch norm, ReLU]. Zeros beyond
the edge, after the normalization. Published in Mateo-Garcia et al. 2020 (ISPRS J. Photogramm.
Remote Sens. 160, 1-17: Proba-V) and Lopez-Puigdollers et al. 2021 (Remote Sensing 13, 992:
Landsat-8 and Sentinel-2); the numbers were read from their weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nndacss.models.keras_layers import EPSILON

#: Keras' momentum 0.99 of a batch norm, as torch counts it.
MOMENTUM = 0.01
#: Rows and columns of an image are multiples of it: two poolings by 2.
MULTIPLE = 4
#: Pixels around one on which its logit depends: two convolutions on each side at full size (4) and
#: half size (8), two at quarter size (8), and up to 3 for the poolings' squares.
REACH = 23


class Affine(nn.Module):
    """`scale * x + offset` for each band, fixed."""

    scale: Tensor
    offset: Tensor

    def __init__(self, scale: Sequence[float], offset: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale).view(1, -1, 1, 1))
        self.register_buffer("offset", torch.tensor(offset).view(1, -1, 1, 1))

    def forward(self, planes: Tensor) -> Tensor:
        """(n, bands, r, c) to the same."""
        return planes * self.scale + self.offset


def separable(inner: int, outer: int, dilation: int = 1) -> list[tuple[str, nn.Module]]:
    """Depthwise 3x3 without bias, then pointwise with bias; the size of the image stays."""
    return [
        (
            "depthwise",
            nn.Conv2d(
                inner, inner, 3, padding=dilation, dilation=dilation, groups=inner, bias=False
            ),
        ),
        ("pointwise", nn.Conv2d(inner, outer, 1)),
    ]


def block(inner: int, outer: int) -> nn.Sequential:
    """Twice separable convolution, batch norm and ReLU."""
    layers: list[tuple[str, nn.Module]] = []
    for number, width in ((1, inner), (2, outer)):
        layers += [(f"{name}_{number}", layer) for name, layer in separable(width, outer)]
        layers.append((f"norm_{number}", nn.BatchNorm2d(outer, eps=EPSILON, momentum=MOMENTUM)))
        layers.append((f"act_{number}", nn.ReLU()))
    return nn.Sequential(OrderedDict(layers))


def start(layer: nn.Module) -> None:
    """First weights of a convolution as Keras draws them: Glorot's uniform, no bias."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class CloudNet(nn.Module):
    """(n, bands, rows, columns) reflectance, no NaN, to (n, 1, rows, columns) logits of cloud.

    Rows and columns are multiples of 4. `scale` and `offset` (one a band) bring reflectance to
    what the network was trained on; by default it is taken as it is.
    """

    def __init__(
        self,
        bands: int,
        filters: int = 32,
        scale: Sequence[float] | None = None,
        offset: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.bands, self.filters = bands, filters
        one, two, four = filters, 2 * filters, 4 * filters
        self.normalization = Affine(scale or [1.0] * bands, offset or [0.0] * bands)
        self.input = block(bands, one)
        self.pool1 = block(one, two)
        self.pool2 = block(two, four)
        self.upconv1 = nn.ConvTranspose2d(four, two, 2, stride=2)
        self.up1 = block(2 * two, two)
        self.upconv2 = nn.ConvTranspose2d(two, one, 2, stride=2)
        self.up2 = block(2 * one, one)
        self.linear_model = nn.Conv2d(one, 1, 1)
        self.pooling = nn.MaxPool2d(2)
        self.apply(start)

    def forward(self, planes: Tensor) -> Tensor:
        """See the class."""
        fine = self.input(self.normalization(planes))
        middle = self.pool1(self.pooling(fine))
        deep = self.pool2(self.pooling(middle))
        middle = self.up1(torch.cat([self.upconv1(deep), middle], dim=1))
        fine = self.up2(torch.cat([self.upconv2(middle), fine], dim=1))
        result: Tensor = self.linear_model(fine)
        return result
