"""A 3x3 convolution with a quarter of the multiplications: Winograd's F(4x4, 3x3), float32.

Each 4x4 piece of the result needs 6x6 pixels and, transformed, 36 multiplications a pair of
channels where the plain sum takes 144 (Lavin and Gray 2016, "Fast Algorithms for Convolutional
Neural Networks", eq. 12 ff., points 0, 1, -1, 2, -2). Algebraically the same; rounding differs by
about 2e-6 of the result. All of it is matrix products, in strips that stay in the cache.

Worth its transforms from about 128 channels on. The transformed weights take four times the room.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu_, pad

#: Of the pixels, the weights and the result, along one axis.
_PIXELS = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHTS = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_RESULT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
#: The transformed plane of which each pixel of a piece gets once: a bias is added to it alone.
_ONCE = 7
#: Pixels a side of a piece of the result, and of what it needs.
_PIECE, _NEEDS = 4, 6
#: Pieces of a strip: about 128 keep its 36 planes in a core's cache.
_STRIP = 128


class Winograd(nn.Module):
    """A 3x3 convolution with zeros beyond the edge, and the leaky ReLU after it."""

    weight: Tensor
    bias: Tensor
    pixels: Tensor
    result: Tensor

    slope = 1.0
    """Factor on what is below 0: of the PReLU that follows; 1 is none."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        """The same as `convolution`; ValueError where it has no bias."""
        super().__init__()
        if convolution.bias is None:
            raise ValueError("a convolution with a bias is needed")
        axis = torch.tensor(_WEIGHTS, dtype=torch.float64)
        given = convolution.weight.detach().double()
        planes = torch.einsum("ij,ocjk,lk->ilco", axis, given, axis)
        shape = (_NEEDS**2, convolution.in_channels, convolution.out_channels)
        self.register_buffer("weight", planes.float().reshape(shape).contiguous())
        self.register_buffer("bias", convolution.bias.detach().clone())
        for name, matrix in (("pixels", _PIXELS), ("result", _RESULT)):
            along = torch.tensor(matrix, dtype=torch.float32)
            self.register_buffer(name, torch.kron(along, along))

    def forward(self, planes: Tensor) -> Tensor:
        """(n, in, rows, columns) to (n, out, rows, columns), both in channels-last memory."""
        count, _, rows, columns = planes.shape
        down, right = -rows % _PIECE, -columns % _PIECE
        last = planes.permute(0, 2, 3, 1)
        padded = pad(last, (0, 0, 1, 1 + right, 1, 1 + down))
        shape = (count, rows + down, columns + right, self.weight.shape[2])
        made = planes.new_empty(shape)
        step = max(1, _STRIP * _PIECE // shape[2]) * _PIECE
        for image, target in zip(padded, made, strict=True):
            for row in range(0, shape[1], step):
                self._strip(image[row : row + step + 2], target[row : row + step])
        return made[:, :rows, :columns].permute(0, 3, 1, 2)

    def _strip(self, given: Tensor, target: Tensor) -> None:
        """Rows of an image, one more on each side, to rows of the result."""
        down, right = target.shape[0] // _PIECE, target.shape[1] // _PIECE
        channels, along = given.shape[2], given.stride()
        stride = (along[0], along[1], _PIECE * along[0], _PIECE * along[1], 1)
        pieces = given.as_strided((_NEEDS, _NEEDS, down, right, channels), stride)
        moved = self.pixels @ pieces.reshape(_NEEDS**2, -1)
        product = torch.bmm(moved.view(_NEEDS**2, -1, channels), self.weight)
        product[_ONCE] += self.bias
        made = self.result @ product.view(_NEEDS**2, -1)
        if self.slope != 1:
            leaky_relu_(made, self.slope)
        shape = (_PIECE, _PIECE, down, right, target.shape[2])
        target.view(down, _PIECE, right, _PIECE, -1).copy_(made.view(shape).permute(2, 0, 3, 1, 4))
