"""Settings of the conversion to Proba-V: section `[convert_pv]`."""

from __future__ import annotations

from typing import Literal

from nndacss.settings import Settings

VERSION = 1


class ConvertSettings(Settings):
    """How Landsat-8 becomes Proba-V."""

    resolution: Literal["100M", "333M", "1KM"] = "333M"
    """Pixels of 1/1008, 1/336 or 1/112 degree."""
    type_product: Literal["landsat8", "biome", "38c"] = "landsat8"
    """Labels that come with the scene: none, L8 Biome's `fixedmask`, or 38-Cloud's."""
    grid_shift: Literal["corrected", "legacy"] = "corrected"
    """`legacy` puts the image 30 m too far south and east, errs by up to 11 m along a row, and
    gives the first pixel's corner where MAPPING says centre, as the published program does."""
    edges: Literal["normalized", "legacy"] = "normalized"
    """`legacy` counts missing pixels as black, cuts the point spread at 7 pixels, lets no cloud
    cover stand beside an unlabelled pixel, and marks missing by count -2000 in place of -1."""


SETTINGS = ConvertSettings
