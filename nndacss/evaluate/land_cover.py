"""A land-cover network as a model to score, with the probabilities that calibration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nndacss.datasets import Sample
from nndacss.evaluate.models import Labels, Unsuited
from nndacss.evaluate.settings import TestData
from nndacss.land_cover.model import LandCoverModel, LandCoverPrediction, load_land_cover_model
from nndacss.land_cover.plan import named


@dataclass(frozen=True)
class LandCoverNetwork:
    """Weights of this package."""

    model: LandCoverModel
    facts: Mapping[str, Any]

    @classmethod
    def load(cls, name: str | Path, threads: int | None = None) -> LandCoverNetwork:
        """By name in `checkpoints/`, or by path of card or weights."""
        model = load_land_cover_model(name, threads=threads)
        card = model.card
        facts = {
            "kind": "weights",
            "name": card.name,
            "sha256": card.sha256,
            "classes": list(card.classes),
            "training": dict(card.training),
        }
        return cls(model, facts)

    def predict(self, sample: Sample, entry: TestData) -> LandCoverPrediction:
        """Labels and probabilities of one sample; Unsuited where it lacks a band."""
        del entry
        card = self.model.card
        lacking = [r for r in card.bands if named(r, card, sample.roles) not in sample.roles]
        if lacking:
            raise Unsuited(f"needs {lacking[0]}")
        if sample.metres > card.coarsest:
            raise Unsuited(f"is for pixels of at most {card.coarsest:g} m")
        return self.model(sample.pixels, sample.roles, sample.metres)

    def __call__(self, sample: Sample, entry: TestData) -> Labels:
        """Labels of one sample."""
        return self.predict(sample, entry).labels
