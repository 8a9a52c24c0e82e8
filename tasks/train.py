"""TrainSegmentation: a network fitted to a sample store; PretrainEncoder: its start."""

from __future__ import annotations

import logging
from pathlib import Path

from nndacss.identity import load_order, recipe_path
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks.compose import ComposeSamples
from tasks.inpaint import GenerateInpaintedSamples
from tasks.samples import MakeSamples

log = logging.getLogger("luigi-interface")

#: Stage -> the task that makes a sample store by it.
_STORES = {kind.stage: kind for kind in (MakeSamples, ComposeSamples, GenerateInpaintedSamples)}


def sample_task(work: Path, digest: str) -> StageTask:
    """What makes the sample store of a recipe: cut from images, composed, or painted."""
    order = load_order(recipe_path(work, digest))
    return _STORES[order.recipe.stage](name=order.name, recipe=digest)


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
        """The sample store, and the encoder that it starts with, if any."""
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
