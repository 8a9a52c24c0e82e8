"""TrainSegmentation: a mask network fitted to a sample store, as weights with a card."""

from __future__ import annotations

from tasks._base import StageTask
from tasks.compose import sample_task


class TrainSegmentation(StageTask):
    """Run the train stage on a sample store; killed, it goes on from its last epoch."""

    stage = "train"

    def requires(self) -> StageTask:
        """The sample store, cut or composed."""
        return sample_task(self.work, self.order.recipe.inputs["samples"])
