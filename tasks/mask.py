"""MaskScene: one mask for a scene's product."""

from __future__ import annotations

from tasks._base import StageTask
from tasks.acquire import AcquireScene


class MaskScene(StageTask):
    """Run the mask stage on an acquired scene."""

    stage = "mask"

    def requires(self) -> AcquireScene:
        """The scene, checked and readable."""
        return AcquireScene(name=self.name, recipe=self.order.recipe.inputs["scene"])
