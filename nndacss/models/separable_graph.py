"""The Proba-V networks as OpenVINO's graphs, which compute on a processor.

A network that has a graph here is what its `forward` is, in other words: an image that is joined
of two before a separable convolution is convolved in two parts whose results are added, so that
the joined image is never made, and a 1x1 convolution to few planes is a product of matrices.

Batch norms must have been folded into the convolutions before them (`nndacss.models.fold`).
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from nndacss.models.cyclegan import Generator
from nndacss.models.openvino_quiet import import_openvino
from nndacss.models.separable_unet import CloudNet

import_openvino()

from openvino import CompiledModel, Core, Model, Node, opset1  # noqa: E402
from openvino import opset15 as ops  # noqa: E402

#: Order of axes with planes last, and back.
_LAST, _FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
#: One for as long as the process lives. Its processor plugin gives the thread that first compiles a
#: stack for signal handlers (for AMX's sake) and unmaps it when the last network goes, in whichever
#: thread that is: then the next signal in the first (a child's end, SIGTERM) killed the process.
_CORE = Core()


def compiled(network: Generator | CloudNet, shape: tuple[int, ...], threads: int) -> CompiledModel:
    """`graph` ready to compute float32 with so many threads."""
    options = {
        "INFERENCE_PRECISION_HINT": "f32",  # by default bfloat16 where a processor has it
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # others' threads may be bound to the same core
    }
    return _CORE.compile_model(graph(network, shape), "CPU", options)


def graph(network: Generator | CloudNet, shape: tuple[int, ...]) -> Model:
    """What takes float32 images of one (n, bands, rows, columns); its shape is part of it."""
    planes = ops.parameter(list(shape), np.float32)
    if isinstance(network, Generator):
        return Model([_generator(network, planes)], [planes])
    return Model([_cloud_net(network, planes)], [planes])


def _generator(network: Generator, planes: Node) -> Node:
    """As `Generator.forward`."""
    centred = ops.add(planes, _constant(network.centre_in.value))
    near = _block(network.block_1, centred)
    far = _block(network.block_2, centred, near)
    return ops.add(_last(network.out, far, centred, near), _constant(network.centre_out.value))


def _cloud_net(network: CloudNet, planes: Node) -> Node:
    """As `CloudNet.forward`."""
    scale, offset = network.normalization.scale, network.normalization.offset
    scaled = planes
    if bool((scale != 1).any() or (offset != 0).any()):
        scaled = ops.add(ops.multiply(planes, _constant(scale)), _constant(offset))
    fine = _block(network.input, scaled)
    middle = _block(network.pool1, _halved(fine))
    deep = _block(network.pool2, _halved(middle))
    middle = _block(network.up1, _doubled(network.upconv1, deep), middle)
    fine = _block(network.up2, _doubled(network.upconv2, middle), fine)
    return _last(network.linear_model, fine)


def _block(block: nn.Sequential, *parts: Node) -> Node:
    """Twice a separable convolution and ReLU; the first takes the parts of a joined image."""
    return _separable(block, 2, _separable(block, 1, *parts))


def _separable(block: nn.Sequential, number: int, *parts: Node) -> Node:
    depthwise = cast(nn.Conv2d, getattr(block, f"depthwise_{number}"))
    pointwise = cast(nn.Conv2d, getattr(block, f"pointwise_{number}"))
    sizes = [_planes(part) for part in parts]
    around = [int(depthwise.dilation[0])] * 2
    total: Node | None = None
    for part, depth, point in zip(
        parts,
        torch.split(depthwise.weight, sizes, dim=0),
        torch.split(pointwise.weight, sizes, dim=1),
        strict=True,
    ):
        kernels = _constant(depth[:, None])
        deep = ops.group_convolution(part, kernels, [1, 1], around, around, around)
        mixed = ops.convolution(deep, _constant(point), [1, 1], [0, 0], [0, 0], [1, 1])
        total = mixed if total is None else ops.add(total, mixed)
    return ops.relu(ops.add(cast(Node, total), _bias(pointwise)))


def _halved(image: Node) -> Node:
    """The maximum of 2x2 pixels."""
    return opset1.max_pool(image, [2, 2], [0, 0], [0, 0], [2, 2])


def _doubled(layer: nn.ConvTranspose2d, image: Node) -> Node:
    """A transposed convolution of 2x2."""
    wide = ops.convolution_backprop_data(
        image,
        _constant(layer.weight),
        [2, 2],
        pads_begin=[0, 0],
        pads_end=[0, 0],
        dilations=[1, 1],
    )
    return ops.add(wide, _bias(layer))


def _last(layer: nn.Conv2d, *parts: Node) -> Node:
    """A 1x1 convolution of the parts of a joined image to few planes: half of its time."""
    matrices = torch.split(layer.weight[:, :, 0, 0], [_planes(part) for part in parts], dim=1)
    total: Node = _constant(cast(Tensor, layer.bias))
    for part, matrix in zip(parts, matrices, strict=True):
        pixels = ops.transpose(part, ops.constant(_LAST))
        total = ops.add(total, ops.matmul(pixels, _constant(matrix.t()), False, False))
    return ops.transpose(total, ops.constant(_FIRST))


def _planes(image: Node) -> int:
    return int(image.get_output_partial_shape(0)[1].get_length())


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Node:
    return _constant(cast(Tensor, layer.bias).reshape(1, -1, 1, 1))


def _constant(numbers: Tensor) -> Node:
    return ops.constant(numbers.detach().contiguous().numpy())
