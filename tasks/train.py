"""TrainSegmentation: a network fitted to a sample store; PretrainEncoder: its start."""

from __future__ import annotations

import logging

from nndacss.identity import load_order, recipe_path
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks.compose import sample_task

log = logging.getLogger("luigi-interface")


class PretrainEncoder(StageTask):
    """Run the pretrain stage on a store of patches; killed, it goes on from its last epoch."""

    stage = "pretrain"

    def requires(self) -> StageTask:
        """The patches."""
        return sample_task(self.work, self.order.recipe.inputs["samples"])


class TrainSegmentation(StageTask):
    """Run the train stage on a sample store; killed, it goes on from its last epoch."""

    stage = "train"

    def requires(self) -> list[StageTask]:
        """The sample store, cut or composed, and the encoder that it starts with, if any."""
        inputs = self.order.recipe.inputs
        found = [sample_task(self.work, inputs["samples"])]
        if digest := inputs.get("pretrain"):
            name = load_order(recipe_path(self.work, digest)).name
            found.append(PretrainEncoder(name=name, recipe=digest))
        return found

    def run(self) -> None:
        """Run the stage, and say where the weights are."""
        super().run()
        log.info("the weights are %s", stage_folder(self.work, self.order) / "weights.json")
