"""The fast inference form of a Deep-Harmonization network: the same function, cheaper.

Exact but for rounding (about 1e-6 of the result): channels-last memory; on a processor,
Winograd convolutions where they pay; the 1x1 convolution of `upsample` before the doubling instead
of after it (a weighted mean of pixels and a matrix on channels commute), at a quarter of the
pixels; activations in place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nndacss.models.deep_network import Block, Decoder, DeepHarmonization
from nndacss.models.deep_winograd import Winograd

#: Channels in, and channels in times out, between which Winograd pays: below, its transforms cost
#: more than they save; above, its weights take too much room (four times the plain ones).
LEAST_CHANNELS, MOST_PAIRS = 128, 1024 * 1024

Run = Callable[[Tensor], Tensor]
"""(n, 7, rows, columns) float32 to (n, 6, rows, columns) float32, as the network does."""


def prepare(
    network: DeepHarmonization, device: Any, precision: Literal["float32", "bfloat16"] = "float32"
) -> Run:
    """The network on a device, ready to predict; it is taken over and changed.

    `bfloat16` computes all but the last layer in it: faster still where the processor has bf16
    instructions (`avx512_bf16`, `amx_bf16`; slow where not), but its rounding moves results by
    1 to 3 % of their spread in a random network, so `float32` is the one to be compared with.
    On a processor it may be called from several threads, on a card from one at a time.
    """
    place, inner = torch.device(device), getattr(torch, precision)
    network.eval().requires_grad_(False)
    winograd = place.type == "cpu" and inner == torch.float32
    for module in list(network.modules()):
        if isinstance(module, Block):
            module.block = _fast(module.block, winograd)
        elif isinstance(module, Decoder):
            module.Upsize = _fast(_matrix_first(module.Upsize), winograd)
    for part in (network.encoding_module, network.decoding_module):
        part.to(inner)
    fast = network.to(place).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fast.final.register_forward_pre_hook(lambda _, planes: (planes[0].float(),))

    def run(planes: Tensor) -> Tensor:
        with torch.inference_mode(), _exact(place):
            given = planes.to(place, inner).contiguous(memory_format=torch.channels_last)
            result: Tensor = fast(given)
        return result

    return run


def _exact(place: torch.device) -> AbstractContextManager[None]:
    """No TF32 on a card (it keeps 10 bits of float32's 23), and the same result each time."""
    if place.type == "cpu":
        return nullcontext()
    # `enabled` is False where it is not said
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def _matrix_first(layers: nn.Sequential) -> nn.Sequential:
    """Doubling, then a 1x1 convolution, the other way round; others as they are."""
    if isinstance(layers[0], nn.Upsample):
        return nn.Sequential(layers[1], layers[0])
    return layers


def _fast(layers: nn.Sequential, winograd: bool) -> nn.Sequential:
    """The same layers: activations in place, and Winograd convolutions where they pay."""
    made: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.PReLU):
            slope = layer.weight.item()
            if isinstance(made[-1], Winograd):
                made[-1].slope = slope
            else:
                made.append(nn.LeakyReLU(slope, inplace=True))
        elif winograd and isinstance(layer, nn.Conv2d) and _pays(layer):
            made.append(Winograd(layer))
        else:
            made.append(layer)
    return nn.Sequential(*made)


def _pays(layer: nn.Conv2d) -> bool:
    pairs = layer.in_channels * layer.out_channels
    return (
        layer.kernel_size == (3, 3) and layer.in_channels >= LEAST_CHANNELS and pairs <= MOST_PAIRS
    )
