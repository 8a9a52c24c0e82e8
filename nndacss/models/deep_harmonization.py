"""The Deep-Harmonization family: four published U-Nets from Landsat to Sentinel-2 (10 m grid).

    network = fill(tensors, depth=5, up="upsample", name="weights.bin")
    run = prepare(network, "cpu", "float32")
    run(pixels)                              (n, 7, rows, columns) -> (n, 6, rows, columns)

Names of layers and numbers of parameters are the published ones, so that the published weights
fit; see `deep_network` for the layers and `deep_prepare` for the fast inference form. The published
result is the mean of all four, their unbiased variance its uncertainty.

The code is our own, after the paper (Sambandham et al. 2024) and the published layer names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from nndacss.errors import SettingsError, WeightsError, complain
from nndacss.models.deep_network import BASE, DeepHarmonization
from nndacss.models.deep_prepare import Run, prepare
from nndacss.models.deep_variants import VARIANTS, Up, Variant

__all__ = [
    "VARIANTS",
    "DeepHarmonization",
    "Run",
    "Up",
    "Variant",
    "build",
    "check_state",
    "fill",
    "prepare",
    "recognise",
]

#: Fewest and most encoder blocks that make sense: one pooling, and ten (1,024 pixels to one).
DEPTHS = range(2, 12)


def build(depth: int, up: str, base: int = BASE) -> DeepHarmonization:
    """The network with torch's own random weights; published are depth 5 and 6, base 64.

    Takes float32 (n, 7, rows, columns): reflectance of blue green red nir08 swir16 swir22 (surface)
    and pan (top of atmosphere) on the 10 m grid, no NaN, nothing below 0. Gives
    (n, 6, rows, columns): reflectance of B02 B03 B04 B8A B11 B12, unclipped. No nodata inside.
    SettingsError where there is no such network.
    """
    if depth not in DEPTHS or up not in ("upsample", "shuffle") or base < 1:
        found = f"depth {depth}, up {up!r}, base {base}"
        expected = f"depth {DEPTHS[0]} to {DEPTHS[-1]}, up 'upsample' or 'shuffle'"
        remedy = f"the published ones are {', '.join(VARIANTS)}"
        raise SettingsError(complain("deep_harmonization", found, expected, remedy))
    return DeepHarmonization(depth, "upsample" if up == "upsample" else "shuffle", base)


def fill(
    tensors: Mapping[str, Tensor], depth: int, up: str, name: str, base: int = BASE
) -> DeepHarmonization:
    """The network made of these very tensors, without room for a second set of weights.

    WeightsError as `check_state`. Tensors are shared, not copied.
    """
    check_state(tensors, depth, up, name, base)
    with torch.device("meta"):
        network = build(depth, up, base)
    network.load_state_dict(dict(tensors), assign=True)
    return network


def check_state(
    tensors: Mapping[str, Tensor], depth: int, up: str, name: str, base: int = BASE
) -> None:
    """WeightsError naming the first layer, from the input on, that is not the network's."""
    with torch.device("meta"):
        own = build(depth, up, base).state_dict()
    network = f"depth {depth}, {up}"
    remedy = "name the variant that the weights are of, or other weights"
    for key, value in own.items():
        expected = f"{tuple(value.shape)} in the network ({network})"
        if key not in tensors:
            raise WeightsError(complain(name, f"no layer {key}", expected, remedy))
        if tensors[key].shape != value.shape:
            found = f"layer {key} {tuple(tensors[key].shape)}"
            raise WeightsError(complain(name, found, expected, remedy))
    extra = [key for key in tensors if key not in own]
    if extra:
        found = f"layer {extra[0]} {tuple(tensors[extra[0]].shape)}"
        raise WeightsError(complain(name, found, f"no such layer ({network})", remedy))


def recognise(tensors: Mapping[str, Tensor], name: str, base: int = BASE) -> tuple[int, Up]:
    """Depth and up-mode by the names of the layers; all layers are then checked.

    WeightsError names the layer that does not fit, or says that none is of this family.
    """
    blocks = {
        int(match[1]) for key in tensors if (match := re.match(r"encoding_module\.(\d+)\.", key))
    }
    if not blocks:
        first = next(iter(tensors), "no layer at all")
        expected = "layers encoding_module.0.block.0.weight and so on"
        remedy = f"weights of another network; the family is {', '.join(VARIANTS)}"
        raise WeightsError(complain(name, f"first layer {first}", expected, remedy))
    depth = max(blocks) + 1
    if depth not in DEPTHS:
        expected = f"{DEPTHS[0]} to {DEPTHS[-1]}"
        remedy = f"the published ones are {', '.join(VARIANTS)}"
        raise WeightsError(complain(name, f"{depth} encoder blocks", expected, remedy))
    up: Up = "shuffle" if "decoding_module.0.Upsize.3.weight" in tensors else "upsample"
    check_state(tensors, depth, up, name, base)
    return depth, up
