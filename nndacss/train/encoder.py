"""An encoder's start: weights that it learned elsewhere, made to fit other bands.

Files are read as data only (`nndacss.models.foreign`). The names of torchvision, timm and smp
are the same for the families that all three have (ResNet and its kin); what an smp network or a
wrapper puts before them is taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nndacss.errors import WeightsError, complain
from nndacss.models.foreign import load_foreign
from nndacss.models.segmentation import Architecture
from nndacss.models.torchvision_fix import ensure_torchvision

#: Channel of a published encoder's input -> our role.
COLOURS = ("red", "green", "blue")
#: First words of layers that classify; an encoder has none.
HEADS = ("fc.", "classifier.", "head.", "last_linear.", "decoder.", "segmentation_head.")
_HUB = "put the file of its weights here and name it in train.transfer.encoder"


def published(architecture: Architecture) -> dict[str, Tensor]:
    """ImageNet weights of the encoder, by way of its library's hub (and its cache here).

    WeightsError where there is no network, or no such weights.
    """
    ensure_torchvision()
    import segmentation_models_pytorch as smp

    depth = len(architecture.decoder_channels)
    try:
        encoder = smp.encoders.get_encoder(
            architecture.encoder, in_channels=len(COLOURS), depth=depth, weights="imagenet"
        )
    except Exception as error:  # the hub's client raises what its transport does
        found = f"no ImageNet weights to be had ({_first(error)})"
        expected = "the hub of segmentation-models-pytorch or timm within reach"
        raise WeightsError(complain(architecture.encoder, found, expected, _HUB)) from error
    state: dict[str, Tensor] = encoder.state_dict()
    return state


def from_file(path: Path) -> dict[str, Tensor]:
    """An encoder's weights from a file, without the layers that classify or decode."""
    found = load_foreign(path)
    inner = {
        key.removeprefix("encoder."): value
        for key, value in found.items()
        if key.startswith("encoder.")
    }
    return {key: value for key, value in (inner or found).items() if not key.startswith(HEADS)}


def take_over(
    encoder: nn.Module, state: Mapping[str, Tensor], roles: Sequence[str], source: object
) -> bool:
    """Load `state` into an encoder of 2 x len(roles) planes; returns whether it was adapted.

    The first layer is adapted where `state` is of three colours. WeightsError, which names
    `source`, where layers or their shapes are not the encoder's.
    """
    own = encoder.state_dict()
    named = _named(state, own)
    first = next((key for key, value in own.items() if value.ndim == 4), "")
    adapted = first in named and named[first].shape[1] == len(COLOURS)
    if adapted:
        named[first] = adapt(named[first], roles)
    lacking = [key for key in own if key not in named and not key.endswith("num_batches_tracked")]
    foreign = sorted(set(named) - set(own))
    expected = "the layers of the encoder that train.architecture names"
    remedy = "correct train.transfer.encoder, or train.architecture.encoder"
    if lacking or foreign:
        found = f"no {lacking[0]}" if lacking else f"a layer {foreign[0]}"
        raise WeightsError(complain(source, found, expected, remedy))
    for key, value in named.items():
        if value.shape != own[key].shape:
            found = f"{key} of {tuple(value.shape)}"
            raise WeightsError(complain(source, found, f"{tuple(own[key].shape)}", remedy))
    encoder.load_state_dict({**own, **named})
    return adapted


def adapt(kernel: Tensor, roles: Sequence[str]) -> Tensor:
    """A first layer (out, 3, rows, columns) of red, green, blue as one of our input planes.

    Planes are one a role, then one a role that says where it is there. A colour gets its own
    kernel, any other role their mean, all times 3 / roles, so that the sum of what arrives is as
    large as it was; where a role is there says nothing yet. Red, green and blue alone give just
    what the published layer gives.

    >>> adapt(torch.tensor([1.0, 2.0, 6.0]).reshape(1, 3, 1, 1), ["blue", "nir"]).flatten().tolist()
    [9.0, 4.5, 0.0, 0.0]
    """
    mean = kernel.mean(dim=1)
    planes = [kernel[:, COLOURS.index(role)] if role in COLOURS else mean for role in roles]
    values = torch.stack(planes, dim=1) * (len(COLOURS) / len(roles))
    return torch.cat([values, torch.zeros_like(values)], dim=1)


def layers(encoder: nn.Module) -> list[nn.Module]:
    """The encoder's parts that learn, from the input on."""
    inner: Any = getattr(encoder, "model", encoder)  # smp's wrapper of a timm encoder
    return [part for part in inner.children() if any(True for _ in part.parameters())]


def freeze(encoder: nn.Module, keep_first: bool) -> None:
    """Have an encoder learn nothing but its norms, and its first layer where `keep_first`."""
    encoder.requires_grad_(requires_grad=False)
    for part in encoder.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch's own base
            part.requires_grad_(requires_grad=True)
    first = next((part for part in encoder.modules() if isinstance(part, nn.Conv2d)), None)
    if keep_first and first is not None:
        first.requires_grad_(requires_grad=True)


def _named(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By the encoder's own names: with or without the `model.` of smp's wrapper."""
    prefix = "model." if all(key.startswith("model.") for key in own) else ""
    plain = {key.removeprefix("model."): value for key, value in state.items()}
    return {f"{prefix}{key}": value for key, value in plain.items()}


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
