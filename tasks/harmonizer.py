"""TrainHarmonizer: a network from Landsat to Sentinel-2 fitted to pairs, as weights with a card."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

import luigi

from nndacss.identity import Order, load_order, recipe_path
from nndacss.resources import config_file
from nndacss.settings import load_settings
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks._parameters import SetParameter
from tasks.pairs import MakePairs

log = logging.getLogger("luigi-interface")


class TrainHarmonizer(StageTask):
    """Fit a harmonizer into `<work>/harmonizer/<name>_<digest8>/weights.{safetensors,json}`.

    Makes its pairs first. Killed, it goes on from its last epoch. Given a config (people), or the
    digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="harmonizer", description="what to call the weights")
    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [pairs] and [harmonizer]"
    )
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    stage = "harmonizer"

    @property
    def order(self) -> Order:
        """As planned by another task, or from the config."""
        return super().order if self.recipe else self._planned

    @cached_property
    def _planned(self) -> Order:
        # numpy comes with the plans: not at import time
        from nndacss.harmonizer.plan import harmonizer_order
        from nndacss.pairs.plan import pairs_order

        settings = load_settings(config_file(self.config) if self.config else None, self.set)
        pairs = pairs_order(settings)
        pairs.save(self.work)
        order = harmonizer_order(pairs, settings, self.name)
        order.save(self.work)
        return order

    def requires(self) -> MakePairs:
        """The pair store."""
        digest = self.order.recipe.inputs["pairs"]
        pairs = load_order(recipe_path(self.work, digest))
        return MakePairs(name=pairs.name, recipe=digest)

    @property
    def card(self) -> Path:
        """The weights' card."""
        return stage_folder(self.work, self.order) / "weights.json"

    def run(self) -> None:
        """Run the stage, and say where the weights are."""
        super().run()
        log.info("the weights are %s", self.card)
