"""Where each layer of a Keras weights file goes in the torch network, and how it is turned.

Keras keeps (rows, columns, in, out), torch (out, in, rows, columns); a transposed convolution
(rows, columns, out, in) against (in, out, rows, columns). A separable convolution is two layers
in torch. A fixed 1x1 convolution that scales and shifts each band is an `Affine` or a `Centre`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

#: Smallest variance of a batch norm, Keras' default.
EPSILON = 1e-3


class Kind(Enum):
    """Keras' class of a layer."""

    PLAIN = "Conv2D"
    SEPARABLE = "SeparableConv2D"
    TRANSPOSED = "Conv2DTranspose"
    NORM = "BatchNormalization"


@dataclass(frozen=True)
class Spot:
    """A layer's place in the torch network."""

    kind: Kind
    path: str
    """Of the torch module; for a separable convolution the `*` stands for its two parts."""
    fixed: tuple[str, str] | None = None
    """A fixed 1x1 convolution: names of the buffers with its factor (or "") and its shift."""
    dilation: int = 1
    activation: str = "linear"


def cloud_layers() -> dict[str, Spot]:
    """Layer -> spot, of `nndacss.models.separable_unet.CloudNet`."""
    found = {"normalization": Spot(Kind.PLAIN, "normalization", fixed=("scale", "offset"))}
    for name in ("input", "pool1", "pool2", "up1", "up2"):
        found |= _block(name, name)
    for number in (1, 2):
        found[f"upconv{number}"] = Spot(Kind.TRANSPOSED, f"upconv{number}")
    return found | {"linear_model": Spot(Kind.PLAIN, "linear_model", activation="sigmoid")}


def generator_layers(norm: bool) -> dict[str, Spot]:
    """Layer -> spot, of `nndacss.models.cyclegan.Generator`."""
    found = {"normalization_gen_in": Spot(Kind.PLAIN, "centre_in", fixed=("", "value"))}
    for number, dilation in ((1, 1), (2, 2)):
        found |= _block(f"generator_block_{number}", f"block_{number}", norm, dilation)
    return found | {
        "out_generator": Spot(Kind.PLAIN, "out"),
        "normalization_gen_out": Spot(Kind.PLAIN, "centre_out", fixed=("", "value")),
    }


def _block(keras: str, ours: str, norm: bool = True, dilation: int = 1) -> dict[str, Spot]:
    found = {}
    for number in (1, 2):
        path = f"{ours}.*_{number}"
        found[f"{keras}_conv_{number}"] = Spot(Kind.SEPARABLE, path, dilation=dilation)
        if norm:
            found[f"{keras}_bn_{number}"] = Spot(Kind.NORM, f"{ours}.norm_{number}")
    return found


def laid(spot: Spot, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """A layer's arrays by torch's keys, turned as torch has them.

    KeyError where one is missing, ValueError where one does not have the axes of its kind.
    """
    if spot.fixed is not None:
        return _fixed(spot.path, spot.fixed, arrays)
    if spot.kind is Kind.NORM:
        names = {
            "weight": "gamma",
            "bias": "beta",
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
        }
        return {f"{spot.path}.{key}": _take(arrays, name, 1) for key, name in names.items()}
    if spot.kind is Kind.SEPARABLE:
        depth, point = (spot.path.replace("*", part) for part in ("depthwise", "pointwise"))
        return {
            f"{depth}.weight": _turned(_take(arrays, "depthwise_kernel", 4), (2, 3, 0, 1)),
            f"{point}.weight": _turned(_take(arrays, "pointwise_kernel", 4), (3, 2, 0, 1)),
            f"{point}.bias": _take(arrays, "bias", 1),
        }
    return {
        f"{spot.path}.weight": _turned(_take(arrays, "kernel", 4), (3, 2, 0, 1)),
        f"{spot.path}.bias": _take(arrays, "bias", 1),
    }


def _fixed(path: str, names: tuple[str, str], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """A 1x1 convolution that must not mix bands, as a factor and a shift a band."""
    kernel, shift = _take(arrays, "kernel", 4)[0, 0], _take(arrays, "bias", 1)
    factor = np.ascontiguousarray(np.diagonal(kernel))
    if kernel.shape != (len(factor),) * 2 or (kernel != np.diag(factor)).any():
        raise ValueError("it mixes bands")
    if not names[0] and (factor != 1).any():
        raise ValueError("it scales bands")
    shape = (1, -1, 1, 1)
    found = {f"{path}.{names[1]}": shift.reshape(shape)}
    return found | ({f"{path}.{names[0]}": factor.reshape(shape)} if names[0] else {})


def _take(arrays: Mapping[str, Array], name: str, axes: int) -> Array:
    if name not in arrays:
        raise KeyError(f"no {name}, only {', '.join(arrays)}")
    if arrays[name].ndim != axes:
        raise ValueError(f"{name} of shape {arrays[name].shape}")
    return arrays[name]


def _turned(array: Array, axes: tuple[int, ...]) -> Array:
    return np.ascontiguousarray(array.transpose(axes))


def options(spot: Spot) -> dict[str, Any]:
    """What Keras' plan must say of the layer, as far as weights do not show it."""
    if spot.kind is Kind.NORM:
        return {"epsilon": EPSILON}
    if spot.kind is Kind.TRANSPOSED:
        return {"strides": [2, 2], "activation": spot.activation}
    given: dict[str, Any] = {"strides": [1, 1], "dilation_rate": [spot.dilation] * 2}
    padding = {"padding": "same"} if spot.kind is Kind.SEPARABLE else {}
    return given | padding | {"activation": spot.activation}
