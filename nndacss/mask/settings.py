"""Settings of the mask: section `[mask]`."""

from __future__ import annotations

from typing import Literal

from nndacss.settings import Settings

VERSION = 1


class MaskSettings(Settings):
    """Where the mask comes from and what counts."""

    method: str = "auto"
    """A module of `nndacss.mask`, or `auto`: `quality` where the product has quality bits, else
    `spectral`."""
    confidence: Literal["medium", "high"] = "high"
    """From which confidence on the agency's two-bit classes count. Collection 2's own single bits
    are its high confidence; `medium` reads the pairs beside them."""
    dilated: bool = False
    """Whether Collection 2's dilated cloud (3 pixels around) counts as cloud."""
    cirrus: bool = True
    """Whether high-confidence cirrus counts as cloud."""


SETTINGS = MaskSettings
