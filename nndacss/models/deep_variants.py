"""The four published Deep-Harmonization networks by name. Light: no torch.

Sambandham et al. 2024, "Deep learning-based harmonization and super-resolution of Landsat-8 and
Sentinel-2 images", ISPRS J. Photogramm. Remote Sens. 212. The names are those of the published
models on their hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Up = Literal["upsample", "shuffle"]
"""How a decoder doubles its input: bilinear then 1x1 convolution, or sub-pixel convolution."""

#: Where the models are published.
HUB = "https://huggingface.co/venkatesh-thiru"


@dataclass(frozen=True)
class Variant:
    """One published network."""

    depth: int
    """Encoder blocks, 5 or 6."""
    up: Up
    millions: float
    """Parameters as the publication prints them, millions."""
    sha256: str | None = None
    """Of the published weights file, where it has been seen; None: the user must give it."""

    @property
    def name(self) -> str:
        """As the hub calls it: `5depth-upsample`."""
        return f"{self.depth}depth-{self.up}"

    @property
    def title(self) -> str:
        """What our own weights file and its card are called: `deep_harmonization_<name>`."""
        return f"deep_harmonization_{self.name}"

    @property
    def page(self) -> str:
        """Where people read about it, and find the checksum of its files."""
        return f"{HUB}/s2l8h-UNet-{self.name}"

    @property
    def multiple(self) -> int:
        """Sides of tiles: a pooling halves them after each block but the last."""
        return int(2 ** (self.depth - 1))

    def url(self, file: str = "model.safetensors") -> str:
        """The hub's address of one file of the model."""
        return f"{self.page}/resolve/main/{file}"


VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(5, "upsample", 28.95),
        Variant(5, "shuffle", 56.45),
        Variant(6, "upsample", 115.98),
        Variant(6, "shuffle", 226.33),
    )
}
