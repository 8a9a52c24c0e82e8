"""TrainHarmonizer: a network from Landsat to Sentinel-2 fitted to pairs, as weights with a card."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import luigi

from nndacss.identity import Order, load_order, recipe_path
from nndacss.settings import Settings
from tasks._planned import FitTask
from tasks.pairs import MakePairs

log = logging.getLogger("luigi-interface")


class TrainHarmonizer(FitTask):
    """Fit a harmonizer into `<work>/harmonizer/<name>_<digest8>/weights.{safetensors,json}`.

    Makes its pairs first. Killed, it goes on from its last epoch. Given a config (people), or the
    digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="harmonizer", description="what to call the weights")
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [pairs] and [harmonizer]"
    )
    stage = "harmonizer"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to fit, and on what."""
        # numpy comes with the plans: not at import time
        from nndacss.harmonizer.plan import harmonizer_order
        from nndacss.pairs.plan import pairs_order

        pairs = pairs_order(settings)
        pairs.save(self.work)
        return harmonizer_order(pairs, settings, self.name)

    def requires(self) -> MakePairs:
        """The pair store."""
        digest = self.order.recipe.inputs["pairs"]
        pairs = load_order(recipe_path(self.work, digest))
        return MakePairs(name=pairs.name, recipe=digest)
