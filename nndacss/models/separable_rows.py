"""Layers of the Proba-V networks that compute some rows of an image when these are asked for.

A layer of 64 planes over a whole window is tens of megabytes, which each layer would put into
memory and the next one fetch again. So layers are asked for a strip of rows after another, and ask
those before them: what lies between them stays in a processor's caches. The few rows that two
strips share are computed twice. `whole` puts strips together.

Images are (n, planes, rows, columns), channels-last. Zeros lie beyond their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn

#: Rows of a strip: the fastest of 16 to 64 for the published networks.
STRIP = 32


class Rows(Protocol):
    """An image that gives its rows when asked."""

    height: int

    def rows(self, first: int, last: int) -> Tensor:
        """Rows `first` to `last`, a tensor that its taker may not change."""
        ...


class Stored:
    """An image in memory."""

    def __init__(self, image: Tensor) -> None:
        self.image, self.height = image, image.shape[2]

    def rows(self, first: int, last: int) -> Tensor:
        """A view."""
        return self.image[:, :, first:last]


class Doubled:
    """An image of half the size, brought to the whole by a transposed convolution of 2x2."""

    def __init__(self, source: Rows, layer: nn.ConvTranspose2d) -> None:
        self._source, self._layer, self.height = source, layer, 2 * source.height

    def rows(self, first: int, last: int) -> Tensor:
        """Of an even first row or not."""
        start = first // 2
        found: Tensor = self._layer(self._source.rows(start, -(-last // 2)))
        return found[:, :, first - 2 * start : last - 2 * start]


class Weights:
    """A separable convolution that takes images of `sizes` planes put together.

    Each is convolved by itself and the results are added: the joined image is never made.
    """

    def __init__(self, block: nn.Module, number: int, sizes: Sequence[int]) -> None:
        depthwise = cast(nn.Conv2d, getattr(block, f"depthwise_{number}"))
        pointwise = cast(nn.Conv2d, getattr(block, f"pointwise_{number}"))
        self.dilation = int(depthwise.dilation[0])
        self.depth = [part.contiguous() for part in _split(depthwise.weight, sizes, 0)]
        self.point = [
            part.contiguous(memory_format=torch.channels_last)
            for part in _split(pointwise.weight, sizes, 1)
        ]
        self.bias = pointwise.bias


class Separable:
    """A separable convolution and its ReLU."""

    def __init__(self, weights: Weights, *sources: Rows) -> None:
        self._weights, self._sources, self.height = weights, sources, sources[0].height

    def rows(self, first: int, last: int) -> Tensor:
        """(n, outer, last - first, columns)."""
        weights, reach = self._weights, self._weights.dilation
        start, stop = max(first - reach, 0), min(last + reach, self.height)
        # within the image rows need no zeros around them
        inside = start == first - reach and stop == last + reach
        around = (0 if inside else reach, reach)
        total: Tensor | None = None
        for source, depth, point in zip(self._sources, weights.depth, weights.point, strict=True):
            near = source.rows(start, stop)
            deep = _convolve(near, depth, None, around, reach, near.shape[1])
            if not inside:
                deep = deep[:, :, first - start : last - start]
            if total is None:
                total = _convolve(deep, point, weights.bias)
            else:
                total += _convolve(deep, point, None)
        return torch.relu_(cast(Tensor, total))


class Last:
    """A 1x1 convolution of images of `sizes` planes put together, to few planes.

    As a product of matrices that gives plane after plane: half of a convolution's time.
    """

    def __init__(self, layer: nn.Conv2d, *sources: tuple[Rows, int]) -> None:
        sizes = [size for _, size in sources]
        matrices = _split(layer.weight[:, :, 0, 0], sizes, 1)
        self._parts = [
            (source, part.contiguous()) for (source, _), part in zip(sources, matrices, strict=True)
        ]
        self._bias = cast(Tensor, layer.bias)[:, None]
        self.height = sources[0][0].height

    def rows(self, first: int, last: int) -> Tensor:
        """(n, few, last - first, columns)."""
        total, shape = self._bias, torch.Size()
        for source, matrix in self._parts:
            part = source.rows(first, last).permute(0, 2, 3, 1)
            shape = part.shape
            total = torch.addmm(total, matrix, part.reshape(-1, shape[3]).t())
        return total.view(-1, *shape[:3]).transpose(0, 1)


def whole(image: Rows) -> Tensor:
    """All rows of an image, `STRIP` at a time."""
    result: Tensor | None = None
    for first in range(0, image.height, STRIP):
        last = min(first + STRIP, image.height)
        found = image.rows(first, last)
        if result is None:
            count, planes, _, columns = found.shape
            size = (count, planes, image.height, columns)
            result = torch.empty(size, device=found.device, memory_format=torch.channels_last)
        result[:, :, first:last] = found
    return cast(Tensor, result)


def _split(weight: Tensor, sizes: Sequence[int], axis: int) -> tuple[Tensor, ...]:
    """A weight cut along an axis."""
    return torch.split(weight, list(sizes), dim=axis)


def _convolve(
    planes: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int] = (0, 0),
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """A convolution with `padding` rows and columns of zeros at each side.

    On a processor by oneDNN's name: torch gives the small ones of a single image in a single
    thread to a slower routine.
    """
    if planes.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        steps = (dilation, dilation)
        return torch.mkldnn_convolution(planes, weight, bias, padding, (1, 1), steps, groups)
    return torch.conv2d(planes, weight, bias, 1, padding, dilation, groups)
