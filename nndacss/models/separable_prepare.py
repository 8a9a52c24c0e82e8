"""The fast inference form of the Proba-V networks: the same function, cheaper.

Exact but for rounding (about 1e-6):

- batch norm is folded into the convolution before it, activations work in place, and memory is
  channels-last;
- where a layer follows on two images put together (a skip), each is convolved by itself and the
  results are added: the joined image is never made;
- on a processor a layer is computed in strips of rows that stay in its caches;
- the last layer, of one to four planes, is a product of matrices (a quarter of the time);
- on a processor convolutions go to oneDNN by name, since torch gives the small ones of a single
  image in a single thread to a slower routine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from nndacss.models.cyclegan import Generator
from nndacss.models.fold import fold_batch_norm
from nndacss.models.runtime import one_thread
from nndacss.models.separable_unet import CloudNet

#: Rows and columns of the image by which the order of layers is found.
_EXAMPLE = 32
#: Rows of a strip: the fastest of 16 to 64 for the published networks.
STRIP = 32

Run = Callable[[Tensor], Tensor]


def prepare(network: Generator | CloudNet, device: Any = "cpu") -> Run:
    """The network on a device, ready to predict; it is taken over and changed.

    What it gives takes and gives float32 tensors on the processor. There it computes in the
    calling thread alone and may be called from several; on a card from one at a time.
    """
    place = torch.device(device)
    network.eval().requires_grad_(False)
    fold_batch_norm(network, torch.zeros(1, network.bands, _EXAMPLE, _EXAMPLE))
    ready = network.to(place).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fast = _generator(ready) if isinstance(ready, Generator) else _cloud_net(ready)

    def run(planes: Tensor) -> Tensor:
        if place.type == "cpu":
            one_thread()
            with torch.inference_mode():
                return fast(planes.contiguous(memory_format=torch.channels_last))
        # no TF32 (it keeps 10 bits of float32's 23), and the same result each time
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            return fast(planes.to(place).contiguous(memory_format=torch.channels_last)).cpu()

    return run


def _generator(network: Generator) -> Run:
    """As `Generator.forward`."""
    first, filters = network.bands, network.filters
    one = _Separable(network.block_1, 1, (first,)), _Separable(network.block_1, 2, (filters,))
    two = (
        _Separable(network.block_2, 1, (first, filters)),
        _Separable(network.block_2, 2, (filters,)),
    )
    last = _Last(network.out, (filters, first, filters))

    def run(planes: Tensor) -> Tensor:
        centred = network.centre_in(planes)
        near = one[1](one[0](centred))
        far = two[1](two[0](centred, near))
        result: Tensor = network.centre_out(last(far, centred, near))
        return result

    return run


def _cloud_net(network: CloudNet) -> Run:
    """As `CloudNet.forward`."""
    one, two, four = (network.filters * by for by in (1, 2, 4))
    sizes: dict[str, tuple[int, ...]] = {"input": (network.bands,), "pool1": (one,)}
    sizes |= {"pool2": (two,), "up1": (two, two), "up2": (one, one)}
    inner = {"input": one, "pool1": two, "pool2": four, "up1": two, "up2": one}
    layers = {
        name: (
            _Separable(getattr(network, name), 1, size),
            _Separable(getattr(network, name), 2, (inner[name],)),
        )
        for name, size in sizes.items()
    }
    last = _Last(network.linear_model, (one,))

    def block(name: str, *parts: Tensor) -> Tensor:
        return layers[name][1](layers[name][0](*parts))

    def run(planes: Tensor) -> Tensor:
        fine = block("input", network.normalization(planes))
        middle = block("pool1", network.pooling(fine))
        deep = block("pool2", network.pooling(middle))
        middle = block("up1", network.upconv1(deep), middle)
        return last(block("up2", network.upconv2(middle), fine))

    return run


class _Separable:
    """A separable convolution of the images `parts` put together, and its activation."""

    def __init__(self, block: nn.Module, number: int, sizes: Sequence[int]) -> None:
        depthwise = cast(nn.Conv2d, getattr(block, f"depthwise_{number}"))
        pointwise = cast(nn.Conv2d, getattr(block, f"pointwise_{number}"))
        self._dilation = int(depthwise.dilation[0])
        self._depth = [part.contiguous() for part in _parts(depthwise.weight, sizes, 0)]
        self._point = [
            part.contiguous(memory_format=torch.channels_last)
            for part in _parts(pointwise.weight, sizes, 1)
        ]
        self._bias = pointwise.bias
        self._norm: nn.Module = getattr(block, f"norm_{number}")

    def __call__(self, *parts: Tensor) -> Tensor:
        """(n, size, r, c) each, to (n, outer, r, c)."""
        whole = parts[0]
        count, _, rows, columns = whole.shape
        if whole.device.type != "cpu" or not isinstance(self._norm, nn.Identity):
            return torch.relu_(self._norm(self._rows(parts, 0, rows)))
        shape = (count, self._point[0].shape[0], rows, columns)
        result = torch.empty(shape, memory_format=torch.channels_last)
        for first in range(0, rows, STRIP):
            last = min(first + STRIP, rows)
            result[:, :, first:last] = torch.relu_(self._rows(parts, first, last))
        return result

    def _rows(self, parts: Sequence[Tensor], first: int, last: int) -> Tensor:
        """Some rows of the convolution, before the activation."""
        start = max(first - self._dilation, 0)
        stop = min(last + self._dilation, parts[0].shape[2])
        total: Tensor | None = None
        for part, depth, point in zip(parts, self._depth, self._point, strict=True):
            near = part[:, :, start:stop]
            deep = _convolve(near, depth, None, self._dilation, part.shape[1])
            deep = deep[:, :, first - start : last - start]
            if total is None:
                total = _convolve(deep, point, self._bias)
            else:
                total += _convolve(deep, point, None)
        return cast(Tensor, total)


class _Last:
    """A 1x1 convolution of the images `parts` put together, to few planes."""

    def __init__(self, layer: nn.Conv2d, sizes: Sequence[int]) -> None:
        self._matrices = [part.contiguous() for part in _parts(layer.weight[:, :, 0, 0], sizes, 1)]
        self._bias = layer.bias

    def __call__(self, *parts: Tensor) -> Tensor:
        """(n, size, r, c) each, to (n, outer, r, c)."""
        total: Tensor | None = None
        for part, matrix in zip(parts, self._matrices, strict=True):
            flat = part.permute(0, 2, 3, 1)
            if total is None:
                total = linear(flat, matrix, self._bias)
            else:
                total += linear(flat, matrix)
        return cast(Tensor, total).permute(0, 3, 1, 2)


def _parts(weight: Tensor, sizes: Sequence[int], axis: int) -> tuple[Tensor, ...]:
    """A weight cut along an axis."""
    return torch.split(weight, list(sizes), dim=axis)


def _convolve(
    planes: Tensor, weight: Tensor, bias: Tensor | None, dilation: int = 1, groups: int = 1
) -> Tensor:
    """A convolution that keeps the size: 1x1, or 3x3 with zeros beyond the edge."""
    padding = dilation * (weight.shape[2] // 2)
    if planes.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        around, steps = (padding, padding), (dilation, dilation)
        return torch.mkldnn_convolution(planes, weight, bias, around, (1, 1), steps, groups)
    return torch.conv2d(planes, weight, bias, 1, padding, dilation, groups)
