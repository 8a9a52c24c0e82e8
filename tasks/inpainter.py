"""TrainInpainter: a network that restores cloud, shadow or snow, as weights with a card."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import luigi

from nndacss.identity import Order, load_order, recipe_path
from nndacss.settings import Settings
from tasks._planned import FitTask
from tasks.samples import MakeSamples

log = logging.getLogger("luigi-interface")


class TrainInpainter(FitTask):
    """Fit a network into `<work>/inpainter/<name>_<digest8>/weights.{safetensors,json}`.

    Makes its samples first. Killed, it goes on from its last epoch. Given a config (people), or the
    digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="inpainter", description="what to call the weights")
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [samples] and [inpainter]"
    )
    stage = "inpainter"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to fit, and on what."""
        # numpy comes with the plans: not at import time
        from nndacss.inpainter.plan import inpainter_order
        from nndacss.samples.plan import samples_order

        samples = samples_order(settings)
        samples.save(self.work)
        return inpainter_order(samples, settings, self.name)

    def requires(self) -> MakeSamples:
        """The sample store."""
        digest = self.order.recipe.inputs["samples"]
        samples = load_order(recipe_path(self.work, digest))
        return MakeSamples(name=samples.name, recipe=digest)

    def run(self) -> None:
        """Run the stage, and say where the weights and a picture of what they do are."""
        super().run()
        log.info("what they restore is shown by %s", self.card.with_name("pictures.png"))
