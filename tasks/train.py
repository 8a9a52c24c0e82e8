"""TrainSegmentation: a mask network fitted to a sample store, as weights with a card."""

from __future__ import annotations

from nndacss.identity import load_order, recipe_path
from tasks._base import StageTask
from tasks.samples import MakeSamples


class TrainSegmentation(StageTask):
    """Run the train stage on a sample store; killed, it goes on from its last epoch."""

    stage = "train"

    def requires(self) -> MakeSamples:
        """The sample store."""
        digest = self.order.recipe.inputs["samples"]
        samples = load_order(recipe_path(self.work, digest))
        return MakeSamples(name=samples.name, recipe=digest)
