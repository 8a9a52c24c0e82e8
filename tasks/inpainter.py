"""TrainInpainter: a network that restores cloud, shadow or snow, as weights with a card."""

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
from tasks.samples import MakeSamples

log = logging.getLogger("luigi-interface")


class TrainInpainter(StageTask):
    """Fit a network into `<work>/inpainter/<name>_<digest8>/weights.{safetensors,json}`.

    Makes its samples first. Killed, it goes on from its last epoch. Given a config (people), or the
    digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="inpainter", description="what to call the weights")
    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [samples] and [inpainter]"
    )
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    stage = "inpainter"

    @property
    def order(self) -> Order:
        """As planned by another task, or from the config."""
        return super().order if self.recipe else self._planned

    @cached_property
    def _planned(self) -> Order:
        # numpy comes with the plans: not at import time
        from nndacss.inpainter.plan import inpainter_order
        from nndacss.samples.plan import samples_order

        settings = load_settings(config_file(self.config) if self.config else None, self.set)
        samples = samples_order(settings)
        samples.save(self.work)
        order = inpainter_order(samples, settings, self.name)
        order.save(self.work)
        return order

    def requires(self) -> MakeSamples:
        """The sample store."""
        digest = self.order.recipe.inputs["samples"]
        samples = load_order(recipe_path(self.work, digest))
        return MakeSamples(name=samples.name, recipe=digest)

    @property
    def card(self) -> Path:
        """The weights' card."""
        return stage_folder(self.work, self.order) / "weights.json"

    def run(self) -> None:
        """Run the stage, and say where the weights and a picture of what they do are."""
        super().run()
        log.info("the weights are %s", self.card)
        log.info("what they restore is shown by %s", self.card.with_name("pictures.png"))
