"""The fast inference form of the Proba-V networks: the same function, cheaper.

Exact but for rounding (about 1e-6):

- batch norm is folded into the convolution before it, activations work in place, and memory is
  channels-last;
- on a processor layers are computed strip by strip of rows, see `separable_rows`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.models.cyclegan import Generator
from nndacss.models.fold import fold_batch_norm
from nndacss.models.runtime import one_thread
from nndacss.models.separable_rows import Doubled, Last, Rows, Separable, Stored, Weights, whole
from nndacss.models.separable_unet import CloudNet

#: Rows and columns of the image by which the order of layers is found.
_EXAMPLE = 32

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
    fast: Run = ready
    # a norm that is left looks at the whole image: no strips; a card has no use for them
    if place.type == "cpu" and not any(
        isinstance(layer, nn.InstanceNorm2d) for layer in ready.modules()
    ):
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
    one, two = network.block_1, network.block_2
    near_of = Weights(one, 1, (first,)), Weights(one, 2, (filters,))
    far_of = Weights(two, 1, (first, filters)), Weights(two, 2, (filters,))

    def run(planes: Tensor) -> Tensor:
        centred = Stored(network.centre_in(planes))
        near = Stored(whole(Separable(near_of[1], Separable(near_of[0], centred))))
        far = Separable(far_of[1], Separable(far_of[0], centred, near))
        last = Last(network.out, (far, filters), (centred, first), (near, filters))
        result: Tensor = network.centre_out(whole(last))
        return result

    return run


def _cloud_net(network: CloudNet) -> Run:
    """As `CloudNet.forward`."""
    one, two, four = (network.filters * by for by in (1, 2, 4))
    sizes: dict[str, tuple[int, ...]] = {"input": (network.bands,), "pool1": (one,)}
    sizes |= {"pool2": (two,), "up1": (two, two), "up2": (one, one)}
    inner = {"input": one, "pool1": two, "pool2": four, "up1": two, "up2": one}
    weights = {
        name: (
            Weights(getattr(network, name), 1, size),
            Weights(getattr(network, name), 2, (inner[name],)),
        )
        for name, size in sizes.items()
    }

    def block(name: str, *sources: Rows) -> Separable:
        first, second = weights[name]
        return Separable(second, Separable(first, *sources))

    def run(planes: Tensor) -> Tensor:
        fine = whole(block("input", Stored(network.normalization(planes))))
        middle = whole(block("pool1", Stored(network.pooling(fine))))
        deep = whole(block("pool2", Stored(network.pooling(middle))))
        up = Doubled(Stored(deep), network.upconv1)
        middle = whole(block("up1", up, Stored(middle)))
        up = Doubled(Stored(middle), network.upconv2)
        return whole(Last(network.linear_model, (block("up2", up, Stored(fine)), one)))

    return run
