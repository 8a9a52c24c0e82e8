"""MakeProduct: the product folder, its STAC item last."""

from __future__ import annotations

from pathlib import Path

import luigi

from tasks._base import FileTarget, StageTask
from tasks.acquire import AcquireScene
from tasks.harmonize import HarmonizeScene
from tasks.mask import MaskScene


class MakeProduct(StageTask):
    """Write COGs, item and report from the mask and the harmonized image."""

    stage = "product"
    root: str = luigi.Parameter(description="product root")

    @property
    def product_root(self) -> Path:
        """Where products go."""
        return Path(self.root)

    def requires(self) -> list[StageTask]:
        """Scene, mask and harmonized image."""
        inputs = self.order.recipe.inputs
        return [
            AcquireScene(name=self.name, recipe=inputs["scene"]),
            MaskScene(name=self.name, recipe=inputs["mask"]),
            HarmonizeScene(name=self.name, recipe=inputs["harmonize"]),
        ]

    def output(self) -> FileTarget:
        """`<root>/<scene>_<digest8>/item.json`."""
        return FileTarget(self.product_root / self.order.target / "item.json")
