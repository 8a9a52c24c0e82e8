"""One sentence for each optional part that a scene lacks: which, and what is lost without it."""

from __future__ import annotations

from nndacss.readers.landsat.assemble import Product

_BANDS = {
    "coastal": "no aerosol-sensitive blue",
    "cirrus": "thin high cloud is harder to find",
    "lwir12": "no second thermal band",
}
_THERMAL = {
    "TOA": "no brightness temperature, so cold cloud is told from bright ground by colour alone",
    "SR": "no surface temperature, so cold cloud is told from bright ground by colour alone",
}


def losses(own: Product, l1: Product | None) -> tuple[str, ...]:
    """In the order of the parts' weight: pan, quality, saturation, other bands, sun angles."""
    there = {*own.bands, *(l1.bands if l1 else ())}
    found = [*_pan(own, l1, there), *_quality(own, l1)]
    found += [
        _sentence(own, l1, role, lost)
        for role, lost in (("lwir11", _THERMAL[own.metadata.level]), *_BANDS.items())
        if role not in there and _expected(own, l1, role)
    ]
    if not own.solar and not (l1 and l1.solar):
        found.append("no sun angle bands: the sun of the scene centre is used everywhere")
    return (*found, *own.notes, *(l1.notes if l1 else ()))


def _expected(own: Product, l1: Product | None, role: str) -> bool:
    """Whether a band's absence is a loss to this scene, or in the nature of its product."""
    if own.announced(role) or (l1 and l1.announced(role)):
        return True
    return role == "lwir11" or own.metadata.level == "TOA" or (l1 is None and role == "cirrus")


def _pan(own: Product, l1: Product | None, there: set[str]) -> list[str]:
    if "pan" in there:
        return []
    lost = "detail below 30 m is not observed"
    return [_sentence(own, l1, "pan", lost)]


def _quality(own: Product, l1: Product | None) -> list[str]:
    products = [product for product in (own, l1) if product]
    found = []
    if not any(product.quality for product in products):
        name = own.metadata.quality or "the quality band"
        found.append(f"{name} is missing: no cloud, shadow and snow bits of the agency")
    if not any(product.saturation for product in products):
        found += _saturation(own, l1)
    return found


def _saturation(own: Product, l1: Product | None) -> list[str]:
    """Collection 1 keeps saturation in the BQA, and DN 65535 tells it in any Level-1 band."""
    name = own.metadata.saturation
    if own.metadata.level == "TOA" or l1:
        return [f"{name} is missing: saturation is read off DN 65535"] if name else []
    return [f"{name or 'the saturation band'} is missing: saturated pixels are not marked"]


def _sentence(own: Product, l1: Product | None, role: str, lost: str) -> str:
    name = own.announced(role) or (l1.announced(role) if l1 else None)
    if name is None and own.metadata.level == "SR" and l1 is None:
        return f"no {role} band, since Level 2 has none and no Level-1 product is given: {lost}"
    return f"{name or f'the {role} band'} is missing: {lost}"
