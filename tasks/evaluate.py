"""EvaluateModel: one model scored on labelled test data, as counts."""

from __future__ import annotations

from nndacss.identity import load_order, recipe_path
from tasks._base import StageTask
from tasks.train import TrainSegmentation


class EvaluateModel(StageTask):
    """Run the evaluate stage on trained weights, weights by name, or a baseline."""

    stage = "evaluate"

    def requires(self) -> list[StageTask]:
        """The training, and its samples: they say which scenes the model has seen."""
        trained = self.order.recipe.inputs.get("train")
        if trained is None:
            return []
        name = load_order(recipe_path(self.work, trained)).name
        train = TrainSegmentation(name=name, recipe=trained)
        return [train, *train.requires()]
