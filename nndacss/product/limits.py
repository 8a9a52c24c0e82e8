"""What a product is not: sentences for the report and the item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nndacss.product.settings import ProductSettings

#: Sentinel-2 observes these at 20 m.
_COARSE = ("nir08", "swir16", "swir22")


def limits(
    level: str,
    mask: Mapping[str, Any],
    harmonize: Mapping[str, Any],
    own: bool = False,
    settings: ProductSettings | None = None,
) -> list[str]:
    """One sentence per limit, for this product; `own`: of a Sentinel-2 scene."""
    found = _of_sentinel(level, harmonize) if own else _of_landsat(level, harmonize)
    found += _of_composition(settings) if settings else []
    kind = "provisional" if mask["provisional"] else "only as good as its origin"
    found.append(f"A mask that is {kind}: {mask['note'] or mask['method']}.")
    return found


def _of_sentinel(level: str, harmonize: Mapping[str, Any]) -> list[str]:
    found = ["Not normalised for view and sun geometry (no BRDF adjustment)."]
    coarse = [role for role in harmonize["roles"] if role in _COARSE]
    if coarse:
        found.append(
            f"Pixels of 10 m, but no detail below 20 m in {', '.join(coarse)}: these bands were "
            "resampled, not sharpened."
        )
    if level == "TOA":
        found.append(
            "Top-of-atmosphere reflectance, not surface reflectance: haze and aerosol are in it."
        )
    found.append(
        "As this satellite saw it: the small differences between 2A, 2B and 2C are left in."
    )
    return found


def _of_landsat(level: str, harmonize: Mapping[str, Any]) -> list[str]:
    found = [
        "Not normalised for view and sun geometry (no BRDF adjustment): the sun of the Landsat "
        "overpass is in it.",
        "No red-edge bands and no broad near infrared (B05 to B08): Landsat does not see them. "
        "The near infrared here is like B8A.",
    ]
    if "weights" in harmonize:
        return found + _of_networks(level, harmonize)
    coarse = [role for role in harmonize["roles"] if role in _COARSE]
    if coarse and harmonize["pan"]:
        found.append(
            f"Finer than Sentinel-2 itself in {', '.join(coarse)} (10 m instead of 20 m): that "
            "detail is borrowed from the pan band, which does not see these wavelengths."
        )
    if not harmonize["pan"]:
        found.append(
            "Pixels of 10 m, but no detail below 30 m: the image was resampled, not sharpened."
        )
    if level == "TOA":
        found.append(
            "Top-of-atmosphere reflectance, not surface reflectance: haze and aerosol are in it, "
            "and the bandpass coefficients were fitted to surface reflectance."
        )
    if harmonize["method"] == "bandpass":
        found.append(
            "Adjusted to Sentinel-2's bands by one straight line per band, the same for every "
            "kind of ground: single surfaces can be off by a few per cent."
        )
    return found


def _of_networks(level: str, harmonize: Mapping[str, Any]) -> list[str]:
    names = ", ".join(card["name"] for card in harmonize["weights"])
    detail = (
        "from the pan band and from what such ground looks like"
        if harmonize["pan"]
        else "without a pan band, from what such ground looks like alone"
    )
    found = [
        f"Detail below 30 m was made by a network ({names}), {detail}: it is likely, not measured. "
        "In the near and short-wave infrared it is finer than Sentinel-2's own 20 m.",
        "Windows without clear ground, and where the source layer says so, were adjusted by one "
        "straight line per band instead.",
    ]
    if harmonize["forced"]:
        found.append(
            f"Forced: its input is {level} reflectance, which the network never saw, and so the "
            "stated uncertainty does not hold."
        )
    found += [note for card in harmonize["weights"] for note in card["notes"]]
    return found


def _of_composition(settings: ProductSettings) -> list[str]:
    if settings.compose == "none":
        return []
    edge = f" and up to {settings.feather:g} m around them" if settings.feather else ""
    made = (
        "is Landsat's own observation, resampled: no detail below 30 m"
        if settings.compose == "landsat"
        else "is harmonized and then given Landsat's amplitude at wavelengths above "
        f"{settings.cutoff:g} m"
    )
    return [
        f"Composed with the mask: what it calls cloud and shadow{edge} {made}. Such pixels (bit 2 "
        "of the source layer) hold Landsat's band responses, not the stated change of them, and "
        "have no uncertainty. Where the mask is wrong, so is the choice of pixels."
    ]
