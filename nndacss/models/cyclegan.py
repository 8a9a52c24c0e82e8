"""The networks that translate between Proba-V and Landsat-8, layer by layer as published.

    Generator      an image as the other sensor would see it
    Discriminator  whether an image comes from a sensor or from a generator

Both first subtract the mean reflectance of each band; the generator adds it again at its end.
Mateo-Garcia et al. 2021, Cross-Sensor Adversarial Domain Adaptation of Landsat-8 and Proba-V
Images for Cloud Detection, IEEE JSTARS 14, 747-761; the numbers were read from its weights.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn

from nndacss.models.keras_layers import EPSILON
from nndacss.models.separable_unet import MOMENTUM, separable, start

#: Proba-V's bands in the networks' order, and their mean reflectance in the published data.
BANDS = ("BLUE", "RED", "NIR", "SWIR")
CENTRE = (0.43052389, 0.40560079, 0.46504526, 0.23876471)
#: Keras' momentum 0.8 of the discriminator's batch norm, as torch counts it.
DISCRIMINATOR_MOMENTUM = 0.2
#: Slope of the discriminator's activation below 0.
SLOPE = 0.2
#: The discriminator halves the image so often: 64 pixels a side become 4.
HALVINGS = 4
#: Pixels around one on which a generator's value depends: 3x3 twice, then twice with dilation 2.
REACH = 6

Norm = Literal["batchnorm", "instancenorm", "none"]


def normalization(kind: Norm, channels: int, momentum: float = MOMENTUM) -> nn.Module:
    """What follows a convolution, with trained scale and shift; `none` passes."""
    if kind == "batchnorm":
        return nn.BatchNorm2d(channels, eps=EPSILON, momentum=momentum)
    if kind == "instancenorm":
        return nn.InstanceNorm2d(channels, eps=EPSILON, affine=True)
    return nn.Identity()


class Centre(nn.Module):
    """Adds `sign` times the mean reflectance of each of the four bands; other numbers pass."""

    value: Tensor

    def __init__(self, bands: int, sign: float) -> None:
        super().__init__()
        centre = CENTRE if bands == len(CENTRE) else (0.0,) * bands
        self.register_buffer("value", sign * torch.tensor(centre).view(1, -1, 1, 1))

    def forward(self, planes: Tensor) -> Tensor:
        """(n, bands, r, c) to the same."""
        return planes + self.value


def block(inner: int, outer: int, dilation: int, kind: Norm) -> nn.Sequential:
    """Twice separable convolution, normalization and ReLU."""
    layers: list[tuple[str, nn.Module]] = []
    for number, width in ((1, inner), (2, outer)):
        parts = separable(width, outer, dilation)
        layers += [(f"{name}_{number}", layer) for name, layer in parts]
        layers.append((f"norm_{number}", normalization(kind, outer)))
        layers.append((f"act_{number}", nn.ReLU()))
    return nn.Sequential(OrderedDict(layers))


class Generator(nn.Module):
    """(n, bands, rows, columns) reflectance, no NaN, to the same as the other sensor sees it.

    Any size. A pixel depends on those at most 6 rows and columns away (`REACH`), but for
    `instancenorm`, which looks at the whole image. Not clipped.
    """

    def __init__(self, bands: int = 4, filters: int = 64, norm: Norm = "batchnorm") -> None:
        super().__init__()
        self.bands, self.filters = bands, filters
        self.centre_in, self.centre_out = Centre(bands, -1.0), Centre(bands, 1.0)
        self.block_1 = block(bands, filters, 1, norm)
        self.block_2 = block(bands + filters, filters, 2, norm)
        self.out = nn.Conv2d(bands + 2 * filters, bands, 1)
        self.apply(start)

    def forward(self, planes: Tensor) -> Tensor:
        """See the class."""
        centred = self.centre_in(planes)
        first = torch.cat([centred, self.block_1(centred)], dim=1)
        both = torch.cat([self.block_2(first), first], dim=1)
        result: Tensor = self.centre_out(self.out(both))
        return result

    def start_as_identity(self) -> None:
        """The last layer passes the image itself and a hundredth of what it gave before."""
        with torch.no_grad():
            self.out.weight *= 0.01
            own = slice(self.filters, self.filters + self.bands)
            self.out.weight[:, own, 0, 0] = torch.eye(self.bands)


class Discriminator(nn.Module):
    """(n, bands, 64, 64) reflectance to (n, 1, 4, 4) logits: positive says "from the sensor".

    Each logit judges one part of the image. Any multiple of 16 a side does.
    """

    def __init__(self, bands: int = 4, filters: int = 8, norm: Norm = "batchnorm") -> None:
        super().__init__()
        self.centre_in = Centre(bands, -1.0)
        layers: list[tuple[str, nn.Module]] = []
        inner = bands
        for number in range(HALVINGS):
            outer = filters * 2**number
            layers.append((f"conv_{number + 1}", nn.Conv2d(inner, outer, 4, stride=2, padding=1)))
            if number:
                normal = normalization(norm, outer, DISCRIMINATOR_MOMENTUM)
                layers.append((f"norm_{number + 1}", normal))
            layers.append((f"act_{number + 1}", nn.LeakyReLU(SLOPE)))
            inner = outer
        self.layers = nn.Sequential(OrderedDict(layers))
        self.logit = nn.Conv2d(inner, 1, 1)
        self.apply(start)

    def forward(self, planes: Tensor) -> Tensor:
        """See the class."""
        result: Tensor = self.logit(self.layers(self.centre_in(planes)))
        return result
