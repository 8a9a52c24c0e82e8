"""HarmonizeScene: a scene's bands as Sentinel-2 would see them, at 10 m."""

from __future__ import annotations

from tasks._base import StageTask
from tasks.acquire import AcquireScene


class HarmonizeScene(StageTask):
    """Run the harmonize stage on an acquired scene."""

    stage = "harmonize"

    def requires(self) -> AcquireScene:
        """The scene, checked and readable."""
        return AcquireScene(name=self.name, recipe=self.order.recipe.inputs["scene"])
