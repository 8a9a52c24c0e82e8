"""What an inpainting network minimises; every function gives a scalar.

All arguments are in the network's scaled units, (batch, bands, rows, columns), but for `hole`,
(batch, 1, rows, columns) bool. `present` says where `target` is an observation. Absolute
differences throughout: their best answer is the median of what may be there, which one odd cloud
does not move.
"""

from __future__ import annotations

from torch import Tensor


def inside(found: Tensor, target: Tensor, present: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference over what was hidden; 0 where nothing was."""
    return _mean((found - target).abs(), present & hole)


def whole(found: Tensor, target: Tensor, present: Tensor) -> Tensor:
    """Mean absolute difference over the whole image: what is seen is to be passed on as it is."""
    return _mean((found - target).abs(), present)


def gradient(found: Tensor, target: Tensor, present: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference of the steps from pixel to pixel, along rows and columns.

    Of the image as it will be painted: `found` in the hole, `target` elsewhere. Steps with an end
    in the hole count, those across its border too: there it says that no seam shall be seen.
    """
    # of the painted image, less the steps of the target: 0 outside the hole
    apart = ((found - target) * hole).masked_fill(~present, 0)
    total, count = apart.new_zeros(()), apart.new_zeros(())
    for axis in (-1, -2):
        size = apart.shape[axis] - 1
        first, second = (present.narrow(axis, start, size) for start in (0, 1))
        holed, next_holed = (hole.narrow(axis, start, size) for start in (0, 1))
        counted = first & second & (holed | next_holed)
        total = total + (apart.diff(dim=axis).abs() * counted).sum()
        count = count + counted.sum()
    return total / count.clamp_min(1)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return values.masked_fill(~counted, 0).sum() / counted.sum().clamp_min(1)
