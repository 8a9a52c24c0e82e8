"""HarmonizeScene: a scene's bands as Sentinel-2 would see them, at 10 m."""

from __future__ import annotations

from tasks._base import StageTask
from tasks.acquire import AcquireScene
from tasks.mask import MaskScene


class HarmonizeScene(StageTask):
    """Run the harmonize stage on an acquired scene, after its mask where a network needs it."""

    stage = "harmonize"

    def requires(self) -> list[StageTask]:
        """The scene, checked and readable, and the mask that says where its ground is."""
        inputs = self.order.recipe.inputs
        found: list[StageTask] = [AcquireScene(name=self.name, recipe=inputs["scene"])]
        if "mask" in inputs:
            found.append(MaskScene(name=self.name, recipe=inputs["mask"]))
        return found
