"""The fast inference form of the Proba-V networks: the same function, cheaper.

Exact but for rounding (about 1e-6): batch norm is folded into the convolution before it, and on a
processor OpenVINO computes the network, see `separable_graph`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nndacss.models.cyclegan import Generator
from nndacss.models.fold import fold_batch_norm
from nndacss.models.separable_unet import CloudNet

if TYPE_CHECKING:
    from openvino import InferRequest

#: Rows and columns of the image by which the order of layers is found.
_EXAMPLE = 32

Run = Callable[[Tensor], Tensor]


def prepare(network: Generator | CloudNet, device: Any = "cpu", threads: int = 1) -> Run:
    """The network on a device, ready to predict; it is taken over and changed.

    What it gives takes and gives float32 tensors on the processor. There a call computes with
    `threads` threads, and several may be made at once; on a card one at a time.
    """
    place = torch.device(device)
    network.eval().requires_grad_(False)
    fold_batch_norm(network, torch.zeros(1, network.bands, _EXAMPLE, _EXAMPLE))
    # a norm that is left looks at the whole image; it is rare, and torch has it
    left = any(isinstance(layer, nn.InstanceNorm2d) for layer in network.modules())
    if place.type == "cpu" and not left:
        return Compiled(network, threads)
    return _by_torch(network, place, threads)


def _by_torch(network: nn.Module, place: torch.device, threads: int) -> Run:
    ready = network.to(place).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(planes: Tensor) -> Tensor:
        if place.type == "cpu" and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        # no TF32 (it keeps 10 bits of float32's 23), and the same result each time
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            found: Tensor = ready(planes.to(place).contiguous(memory_format=torch.channels_last))
            return found.cpu()

    return run


class Compiled:
    """A network compiled by OpenVINO for the shape of image that it was last given.

    Compiling takes some hundredths of a second; buffers for one shape are kept for the next image,
    as many as calls were made at once.
    """

    def __init__(self, network: Generator | CloudNet, threads: int) -> None:
        """The network has no batch norm left; `threads` that one call computes with."""
        self._network, self._threads = network, threads
        self._lock = threading.Lock()
        self._shape: tuple[int, ...] = ()
        self._idle: list[InferRequest] = []

    def __call__(self, planes: Tensor) -> Tensor:
        """(n, bands, rows, columns), float32, to what the network makes of it."""
        shape = tuple(planes.shape)
        request = self._take(shape)
        found = request.infer({0: planes.contiguous().numpy()}, share_inputs=True)[0]
        with self._lock:
            if shape == self._shape:
                self._idle.append(request)
        return torch.from_numpy(found)

    def _take(self, shape: tuple[int, ...]) -> InferRequest:
        """A request that nobody uses, compiled where there is none."""
        with self._lock:
            if shape != self._shape:
                self._shape, self._idle = shape, []
            if self._idle:
                return self._idle.pop()
        from nndacss.models.separable_graph import compiled

        return compiled(self._network, shape, self._threads).create_infer_request()
