"""EvaluateModel: one model scored on labelled test data, as counts."""

from __future__ import annotations

from nndacss.identity import load_order, recipe_path
from tasks._base import StageTask
from tasks.samples import MakeSamples
from tasks.train import TrainSegmentation


class EvaluateModel(StageTask):
    """Run the evaluate stage on trained weights, weights by name, or a baseline."""

    stage = "evaluate"

    def requires(self) -> list[StageTask]:
        """The training, and its samples: they say which scenes the model has seen."""
        trained = self.order.recipe.inputs.get("train")
        if trained is None:
            return []
        train = load_order(recipe_path(self.work, trained))
        digest = train.recipe.inputs["samples"]
        samples = load_order(recipe_path(self.work, digest))
        return [
            TrainSegmentation(name=train.name, recipe=trained),
            MakeSamples(name=samples.name, recipe=digest),
        ]
