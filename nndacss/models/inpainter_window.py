"""The fine levels of a U-Net++ only where their result is wanted: the same pixels for less work.

Two thirds of the work of a U-Net++ are its two finest levels (every pixel, and every second),
and these are convolutions alone: what they give at a pixel depends on a few pixels around it. So
the encoder and the coarse levels see the whole patch, and the fine ones a window around the hole.
The pixels in the hole are those of the whole patch, up to the rounding of sums in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

Forward = Callable[["Tensor", "Tensor"], "Tensor"]
"""Input planes (n, planes, rows, columns) and holes (n, rows, columns) -> all output planes, of
which those in the holes count."""
Window = tuple[slice, slice]
"""Rows and columns."""

#: Windows begin and end at multiples of it: a pixel of the finest level that is always whole.
_GRID = 4


def whole(network: nn.Module) -> Forward:
    """The network as it is."""

    def forward(planes: Tensor, hole: Tensor) -> Tensor:
        del hole
        result: Tensor = network(planes)
        return result

    return forward


def windowed(network: nn.Module) -> Forward:
    """The network with its fine levels in a window around the holes, where its kind is known.

    One window for all patches of a batch. Any other network is computed whole.
    """
    from nndacss.models.torchvision_fix import ensure_torchvision

    ensure_torchvision()
    from segmentation_models_pytorch.decoders.unetplusplus.decoder import UnetPlusPlusDecoder

    model: Any = network
    decoder = getattr(model, "decoder", None)
    if not isinstance(decoder, UnetPlusPlusDecoder) or not _plain(decoder):
        return whole(network)
    # three convolutions at every pixel, two a block at every second
    margin = 3 + 2 * 2 * decoder.depth

    def forward(planes: Tensor, hole: Tensor) -> Tensor:
        window = around(hole, margin)
        fine = model.segmentation_head(_decoded(decoder, model.encoder(planes), window))
        result: Tensor = fine.new_zeros((*fine.shape[:2], *planes.shape[2:]))
        result[:, :, *window] = fine
        return result

    return forward


def around(hole: Tensor, margin: int) -> Window:
    """The pixels of all holes (n, rows, columns) with a margin, on the grid, inside the patch."""
    spans = []
    for axis in (1, 2):
        other = [place for place in range(hole.ndim) if place != axis]
        held = hole.any(dim=other).nonzero()
        first, last = (int(held.min()), int(held.max())) if len(held) else (0, 0)
        low = max(0, first - margin) // _GRID * _GRID
        high = min(hole.shape[axis], -(-(last + 1 + margin) // _GRID) * _GRID)
        spans.append(slice(low, high))
    return spans[0], spans[1]


def _plain(decoder: Any) -> bool:
    """Whether all blocks are what `_block` computes."""
    from torch import nn

    if decoder.depth < 2 or not isinstance(decoder.center, nn.Identity):
        return False
    return all(
        not block.is_empty
        and block.interpolation_mode == "nearest"
        and isinstance(block.attention1.attention, nn.Identity)
        and isinstance(block.attention2.attention, nn.Identity)
        for block in decoder.blocks.values()
    )


def _decoded(decoder: Any, features: list[Tensor], window: Window) -> Tensor:
    """The decoder's result in the window; node (d, l) is block `x_d_l`, level l from coarse."""
    features = features[1:][::-1]
    last = decoder.depth - 1
    half, quarter = _scaled(window, 2), _scaled(window, 4)
    nodes: dict[tuple[int, int], Tensor] = {}
    for layer in range(decoder.depth):
        for place in range(decoder.depth - layer):
            level = place + layer
            below = nodes[place, level - 1] if layer else features[place]
            skip = features[level + 1]
            if level == last:
                below, skip = below[:, :, *quarter], skip[:, :, *half]
            beside = [nodes[other, level] for other in range(place + 1, level + 1)]
            block = decoder.blocks[f"x_{place}_{level}"]
            nodes[place, level] = _block(block, below, [*beside, skip])
    return _block(decoder.blocks[f"x_0_{decoder.depth}"], nodes[0, last], [])


def _block(block: Any, below: Tensor, skips: list[Tensor]) -> Tensor:
    """One block of the decoder: twice as fine, beside what skips to it, two convolutions."""
    import torch

    fine = torch.nn.functional.interpolate(below, scale_factor=2.0, mode="nearest")
    joined = torch.cat([fine, *skips], dim=1) if skips else fine
    result: Tensor = block.conv2(block.conv1(joined))
    return result


def _scaled(window: Window, factor: int) -> Window:
    rows, columns = (slice(span.start // factor, span.stop // factor) for span in window)
    return rows, columns
