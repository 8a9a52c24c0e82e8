"""MapLandCover: a Sentinel-2 scene, or an adapted Landsat product, as a land-cover map."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from tasks._base import FileTarget, StageTask, machine
from tasks._parameters import SetParameter, check_local
from tasks._settings import scene_settings
from tasks.acquire import AcquireScene

if TYPE_CHECKING:
    from nndacss.land_cover.plan import MapPlan

log = logging.getLogger("luigi-interface")


class MakeMap(StageTask):
    """Run the land_cover stage on an acquired scene, or on a product of AdaptScene."""

    stage = "land_cover"
    root: str = luigi.Parameter(description="where maps go")

    @property
    def product_root(self) -> Path:
        """Where maps go."""
        return Path(self.root)

    def requires(self) -> list[StageTask]:
        """The scene; a product is there already."""
        order = self.order
        if "scene" not in order.recipe.inputs:
            return []
        name = order.name.removesuffix("_landcover")
        return [AcquireScene(name=name, recipe=order.recipe.inputs["scene"])]

    def output(self) -> FileTarget:
        """`<root>/<scene>_landcover_<digest8>/item.json`."""
        return FileTarget(self.product_root / self.order.target / "item.json")


class MapLandCover(luigi.WrapperTask):
    """One image to a folder with its land-cover map, class probabilities, report and STAC item.

    The image is a Sentinel-2 SAFE (folder or `.zip`, or what AdaptScene takes for one), or the
    product folder that AdaptScene made of a Landsat scene.
    """

    scene: str = luigi.Parameter(
        description="Sentinel-2 SAFE folder or .zip; or a product folder of AdaptScene"
    )
    weights: str = luigi.Parameter(
        default="", description="card of land-cover weights; default: the config's"
    )
    area: str = luigi.Parameter(
        default="", description="GeoJSON file; the map covers its bounding box"
    )
    bbox: str = luigi.Parameter(
        default="", description="west,south,east,north in degrees (write --bbox=-5,...)"
    )
    output_root: str = luigi.Parameter(default="products", description="where maps go")
    config: str = luigi.Parameter(default="", description="TOML file with a [land_cover] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def plan(self) -> MapPlan:
        """Everything decided and checked, its recipes written to the work root."""
        # pydantic's cards come with the plan: not at import time
        from nndacss.land_cover.plan import map_plan

        check_local(self.output_root)
        own = [f"land_cover.weights={self.weights}"] if self.weights else []
        settings = scene_settings(self.config, [*self.set, *own], self.area, self.bbox)
        work = Path(machine().work)
        planned = map_plan(self.scene, settings, work / "scenes")
        planned.save(work)
        return planned

    def requires(self) -> MakeMap:
        """The map that the plan leads to."""
        order = self.plan.order
        return MakeMap(name=order.name, recipe=order.recipe.digest, root=self.output_root)

    def run(self) -> None:
        """Nothing is left to do but to say where the map is."""
        target = Path(self.output_root) / self.plan.order.target
        log.info("the map is %s, its report %s", target, target / "report.html")
