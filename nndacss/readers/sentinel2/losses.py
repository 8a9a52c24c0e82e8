"""One sentence for each optional part that a product lacks: which, and what is lost without it."""

from __future__ import annotations

from collections.abc import Sequence

from nndacss.readers.sentinel2.identity import Safe
from nndacss.readers.sentinel2.metadata import BY_A_USER, NEWEST_MAJOR
from nndacss.sensors import REFLECTIVE
from nndacss.sensors.sentinel2_msi import SENSOR

_BANDS = {
    "coastal": "no aerosol-sensitive blue",
    "cirrus": "thin high cloud is harder to find",
}


def losses(safe: Safe, roles: Sequence[str]) -> tuple[str, ...]:
    """In the order of the parts' weight; bands that every product needs are errors, not losses."""
    found = []
    if safe.product.level == "SR" and "SCL" not in safe.images:
        found.append("the scene classification (SCL) is missing: no classes of the agency")
    for role in SENSOR.roles:
        if role in roles or role in REFLECTIVE:
            continue
        if role == "cirrus" and safe.product.level == "SR":
            continue  # Level 2A never has it
        lost = _BANDS.get(role, "it cannot be asked for")
        found.append(f"the {role} band ({SENSOR.band(role).name}) is missing: {lost}")
    if safe.tile.sun is None:
        found.append("no sun angle grid: the tile's mean sun is used everywhere")
    return (*found, *_notes(safe))


def _notes(safe: Safe) -> list[str]:
    """What had to be assumed."""
    baseline, text = safe.product.baseline, safe.product.baseline_text
    found = []
    if safe.shifted:
        found.append("offsets are in the DN already, as the product's own JSON says: none is added")
    if baseline == BY_A_USER:
        found.append("made with Sen2Cor by a user: offsets are taken as its metadata state them")
    elif baseline[0] > NEWEST_MAJOR:
        found.append(
            f"processing baseline {text} is newer than the last one known here "
            f"({NEWEST_MAJOR:02d}.xx): read as its metadata say"
        )
    return found
