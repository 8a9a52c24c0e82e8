"""What a product says of how it was harmonized, and by which weights."""

from __future__ import annotations

from typing import Any

from nndacss.product.inputs import Inputs


def networks(inputs: Inputs) -> dict[str, Any] | None:
    """Which weights harmonized, for the report and the item; None where none did."""
    if "weights" not in inputs.harmonize:
        return None
    keys = ("name", "sha256", "family")
    members = [{key: card[key] for key in keys} for card in inputs.harmonize["weights"]]
    return {
        "members": members,
        "precision": inputs.harmonize["precision"],
        "sha256": inputs.recipes["harmonize"].weights,
    }


def adjustment(inputs: Inputs) -> dict[str, Any]:
    """How the product's band responses came of the scene's: properties of the item."""
    spectral, found = inputs.spectral, networks(inputs)
    change = {
        "bands": list(spectral.roles),
        "matrix": [list(row) for row in spectral.matrix],
        "offset": list(spectral.offset),
    }
    more = {"nndacss:harmonizer": found} if found else {}
    return {"nndacss:spectral": change, **more}
