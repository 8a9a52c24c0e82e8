"""Settings of the product: section `[product]`."""

from __future__ import annotations

from typing import Literal

from nndacss.settings import Settings

VERSION = 1


class ProductSettings(Settings):
    """What the product folder holds beyond the standard files."""

    compose: Literal["none"] = "none"
    """Whether the image is composed with the mask before it is written."""
    mask_format: Literal["labels", "fmask", "scl"] = "labels"
    """A second mask file in Fmask bits (HLS) or in Sentinel-2's SCL codes."""


SETTINGS = ProductSettings
