"""Settings of the product: section `[product]`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from nndacss.errors import InputError, SettingsError, complain
from nndacss.sensors import REFLECTIVE
from nndacss.settings import Settings

VERSION = 1


class ProductSettings(Settings):
    """How the image is composed, and what the product folder holds beyond the standard files."""

    compose: Literal["none", "landsat", "fourier"] = "none"
    """What cloud and shadow are made of. `none`: as harmonized. `landsat`: Landsat's own pixels,
    resampled. `fourier`: as harmonized, with Landsat's amplitude at low frequencies."""
    feather: float = Field(default=0.0, ge=0, le=1000)
    """For a composed image: metres beyond cloud and shadow over which the composed pixels fade
    out. 0, as published, leaves every clear and every snow pixel as harmonized; 60 takes off most
    of the step at a border where a network dulls clouds."""
    cutoff: float = Field(default=200.0, ge=60, le=500)
    """For `fourier`: wavelength in metres beyond which the amplitude is Landsat's. Landsat's 30 m
    pixels hold no waves below 60 m."""
    mask_format: Literal["labels", "fmask", "scl"] = "labels"
    """A second mask file in Fmask bits (HLS) or in Sentinel-2's SCL codes."""

    def recipe_settings(self) -> dict[str, Any]:
        """What differs from the default and has a meaning for this way to compose."""
        idle = {"none": ("feather", "cutoff"), "landsat": ("cutoff",), "fourier": ()}[self.compose]
        return {key: value for key, value in self.changed().items() if key not in idle}


def check_compose(
    settings: ProductSettings, name: str, sensor: str, roles: tuple[str, ...]
) -> None:
    """Whether a product can be composed, told before any work.

    `name` is the scene's, `sensor` a module of `nndacss.sensors`, `roles` are the product's bands.
    InputError for a scene that is not Landsat's, SettingsError for fewer than its six bands.
    """
    if settings.compose == "none":
        return
    asked = f"product.compose = {settings.compose}"
    remedy = "use product.compose = none"
    if sensor != "landsat8_oli":
        found = "a scene that is not Landsat-8/9's"
        expected = f"Landsat for {asked} (Sentinel-2's bands are not harmonized)"
        raise InputError(complain(name, found, expected, remedy))
    if set(roles) != set(REFLECTIVE):
        expected = f"all of {', '.join(REFLECTIVE)} for {asked}"
        raise SettingsError(complain("harmonize.roles", ", ".join(roles), expected, remedy))


SETTINGS = ProductSettings
