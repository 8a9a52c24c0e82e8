"""The Deep-Harmonization U-Net, layer by layer as published, so that its weights fit by name.

    encoding_module.<i>.block.{0,2}     convolutions 3x3; .{1,3} PReLU with one parameter
    decoding_module.<i>.Upsize.1        1x1 convolution after bilinear x2 (upsample), or
    decoding_module.<i>.Upsize.{0,3}    convolutions 3x3 around PReLU (.1) and PixelShuffle
    decoding_module.<i>.conv.block.*    as in the encoder
    final                               1x1 convolution

No normalisation, no attention, no residual from input to output; 2x2 mean pooling between the
encoder's blocks; zeros beyond the edge of a tile.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from nndacss.models.deep_variants import Up

#: Channels in (six bands, then pan) and out (six bands), and of the first block.
IN, OUT, BASE = 7, 6, 64


class Block(nn.Module):
    """Two 3x3 convolutions, each with its PReLU."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(inner, outer, 3, padding=1),
            nn.PReLU(),
            nn.Conv2d(outer, outer, 3, padding=1),
            nn.PReLU(),
        )

    def forward(self, planes: Tensor) -> Tensor:
        """(n, inner, r, c) to (n, outer, r, c)."""
        result: Tensor = self.block(planes)
        return result


class Decoder(nn.Module):
    """Doubles its input, joins what the encoder kept at that size, then a block."""

    def __init__(self, inner: int, outer: int, up: Up) -> None:
        super().__init__()
        # the capital letter is the published key's
        self.Upsize = upsample(inner, outer) if up == "upsample" else shuffle(inner, outer)
        self.conv = Block(2 * outer, outer)

    def forward(self, planes: Tensor, kept: Tensor) -> Tensor:
        """(n, inner, r, c) and (n, outer, 2r, 2c) to (n, outer, 2r, 2c); odd sizes are resized."""
        planes = self.Upsize(planes)
        if planes.shape[2:] != kept.shape[2:]:
            planes = interpolate(planes, size=kept.shape[2:], mode="bilinear")
        result: Tensor = self.conv(torch.cat([planes, kept], dim=1))
        return result


def upsample(inner: int, outer: int) -> nn.Sequential:
    """Bilinear x2 (pixel centres, not corners, stay), then a 1x1 convolution."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        nn.Conv2d(inner, outer, 1),
    )


def shuffle(inner: int, outer: int) -> nn.Sequential:
    """Four planes for each of the result, laid into 2x2 pixels, between 3x3 convolutions."""
    return nn.Sequential(
        nn.Conv2d(inner, 4 * outer, 3, padding=1),
        nn.PReLU(),
        nn.PixelShuffle(2),
        nn.Conv2d(outer, outer, 3, padding=1),
    )


class DeepHarmonization(nn.Module):
    """(n, 7, rows, columns) reflectance, no NaN, to (n, 6, rows, columns) reflectance, unclipped.

    In: blue green red nir08 swir16 swir22 (SR) and pan (TOA), on the 10 m grid. Out: Sentinel-2
    B02 B03 B04 B8A B11 B12. Any size of at least 2**(depth - 1); even at each pooling where it is
    a multiple of that.
    """

    def __init__(self, depth: int, up: Up, base: int = BASE) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(depth)]
        self.encoding_module = nn.ModuleList(
            Block(inner, outer) for inner, outer in pairwise([IN, *widths])
        )
        self.decoding_module = nn.ModuleList(
            Decoder(inner, outer, up) for inner, outer in pairwise(reversed(widths))
        )
        self.final = nn.Conv2d(base, OUT, 1)

    def forward(self, planes: Tensor) -> Tensor:
        """See the class."""
        kept: list[Tensor] = []
        for block in self.encoding_module:
            if kept:
                planes = avg_pool2d(planes, 2)
            planes = block(planes)
            kept.append(planes)
        for decoder, skip in zip(self.decoding_module, kept[-2::-1], strict=True):
            planes = decoder(planes, skip)
        result: Tensor = self.final(planes)
        return result
