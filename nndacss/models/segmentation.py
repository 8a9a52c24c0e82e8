"""The segmentation network, and how reflectance enters it.

Input planes of a network for n bands: n scaled bands (0 where missing), then n planes that say
where each band is present (1 or 0). So one network takes any subset of its bands, and nodata
inside an image, without a made-up value passing for an observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nndacss.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Sides of an input must be a multiple of 2 to the power of the encoder's depth.
MULTIPLE = 32


class Architecture(Settings):
    """A network of segmentation-models-pytorch, random weights; a part of a card and a recipe."""

    name: str = "UnetPlusPlus"
    """A class of segmentation_models_pytorch."""
    encoder: str = "tu-mobilenetv3_large_100"
    """Any encoder that smp or timm knows; this one does 1 Mpx in about 0.6 s on two cores."""
    decoder_channels: tuple[int, ...] = (128, 64, 32, 16, 16)
    """Widths from deep to shallow, one a level of the encoder."""


class Scaling(Settings):
    """How reflectance becomes network input: (reflectance - offset) / spread, then clipped."""

    offset: Mapping[str, float]
    """Per role."""
    spread: Mapping[str, float]
    """Per role."""
    clip: float = 6.0
    """Largest size of a scaled value: saturated cloud and sun glint say no more than bright."""


def build(architecture: Architecture, bands: int, classes: int) -> nn.Module:
    """The network: (batch, 2 bands, rows, columns) -> logits (batch, classes, rows, columns).

    Nothing is downloaded: the encoder starts random. SettingsError where smp knows no such part.
    """
    from nndacss.errors import SettingsError
    from nndacss.models.torchvision_fix import ensure_torchvision

    ensure_torchvision()
    import segmentation_models_pytorch as smp

    kind = getattr(smp, architecture.name, None)
    if not isinstance(kind, type):
        raise SettingsError(f"segmentation_models_pytorch has no model {architecture.name!r}")
    try:
        network: nn.Module = kind(
            architecture.encoder,
            encoder_weights=None,
            encoder_depth=len(architecture.decoder_channels),
            decoder_channels=architecture.decoder_channels,
            in_channels=2 * bands,
            classes=classes,
        )
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SettingsError(f"{architecture.name} with {architecture.encoder}: {error}") from error
    return network


def encode(pixels: Tensor, roles: tuple[str, ...], scaling: Scaling) -> Tensor:
    """(..., bands, rows, columns) reflectance, NaN missing -> (..., 2 bands, rows, columns)."""
    import torch

    shape = (-1, 1, 1)
    offset = pixels.new_tensor([scaling.offset[role] for role in roles]).reshape(shape)
    spread = pixels.new_tensor([scaling.spread[role] for role in roles]).reshape(shape)
    present = torch.isfinite(pixels)
    scaled = ((pixels - offset) / spread).clamp(-scaling.clip, scaling.clip)
    values = torch.where(present, scaled, scaled.new_zeros(()))
    return torch.cat([values, present.to(pixels.dtype)], dim=-3)
