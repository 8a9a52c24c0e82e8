"""Which weights paint, known by their cards alone; light, for the scheduler's process."""

from __future__ import annotations

from collections.abc import Sequence

from nndacss.errors import WeightsError, complain
from nndacss.inpaint.options import PaintOptions
from nndacss.models.inpainter_card import inpainter_card


def checked_weights(options: PaintOptions, roles: Sequence[str] = ()) -> dict[str, str]:
    """Structure -> sha256 of its weights, by their cards alone; none for the physical renderer.

    WeightsError where weights are missing, of another structure, without one of the bands `roles`,
    or other than the settings demand.
    """
    if options.renderer == "physical":
        return {}
    found: dict[str, str] = {}
    for structure in options.structures:
        name = options.networks[structure]
        card = inpainter_card(name)
        if card.structure != structure:
            remedy = f"give weights that restore {structure}"
            raise WeightsError(complain(name, f"weights for {card.structure}", structure, remedy))
        wanted = options.weights_sha256.get(structure, card.sha256)
        if card.sha256 != wanted:
            expected = f"sha256 {wanted[:12]}..., as settings or recipe say"
            remedy = "give those weights, or plan again"
            raise WeightsError(complain(name, f"{card.sha256[:12]}...", expected, remedy))
        if unknown := [role for role in roles if role not in card.roles]:
            found_ = f"{len(roles)} bands, {unknown[0]} among them"
            expected = f"any of its {len(card.roles)}: {', '.join(card.roles)}"
            remedy = "leave the band out of `roles`, or give other weights"
            raise WeightsError(complain(name, found_, expected, remedy))
        found[structure] = card.sha256
    return found
