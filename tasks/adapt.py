"""AdaptScene: a Landsat or Sentinel-2 scene in, a 10 m product with its mask out."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import cast

import luigi

from nndacss.acquire.area import check_inside
from nndacss.acquire.source import Sources
from nndacss.chain import STAGES, Plan, plan
from nndacss.estimate import expect, free_mb
from nndacss.operations.roots import open_root
from nndacss.product.settings import ProductSettings
from nndacss.tile.settings import TileSettings
from tasks._base import machine, threads
from tasks._parameters import SetParameter
from tasks._settings import scene_settings
from tasks.product import MakeProduct

log = logging.getLogger("luigi-interface")


class AdaptScene(luigi.WrapperTask):
    """One scene through all stages; what is finished is not computed again.

    The scene is a Landsat product as USGS delivers it (folder, `.tar` or `.tar.gz`), Level 1 or
    Level 2, or a Sentinel-2 SAFE (folder or `.zip`), L1C or L2A. For a Landsat Level-2 scene the
    Level-1 product of the same acquisition brings the pan band. A scene of an archive, named by
    its id, or the address or file of its STAC item, is fetched into `<work>/scenes`.
    """

    scene: str = luigi.Parameter(
        description="Landsat folder, .tar or .tar.gz; Sentinel-2 SAFE folder or .zip; "
        "or a STAC item (address or .json file), or an id for the provider of [search]"
    )
    l1: str = luigi.Parameter(
        default="",
        description="its Level-1 product; default: looked for beside the scene, or in its archive",
    )
    area: str = luigi.Parameter(
        default="", description="GeoJSON file; the product covers its bounding box"
    )
    bbox: str = luigi.Parameter(
        default="", description="west,south,east,north in degrees (write --bbox=-5,...)"
    )
    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    config: str = luigi.Parameter(default="", description="TOML file with settings")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def plan(self) -> Plan:
        """Everything decided, its recipes written to the work root."""
        settings = scene_settings(self.config, self.set, self.area, self.bbox)
        sources = Sources(Path(machine().work) / "scenes", settings)
        l1 = sources.of(self.l1) if self.l1 else None
        scene = sources.of(self.scene)
        check_inside(scene.identify(), cast(TileSettings, settings["tile"]).bbox)
        planned = plan(scene, l1, settings)
        for loss in planned.losses:
            log.warning("%s", loss)
        for stage in STAGES:
            planned.orders[stage].save(Path(machine().work))
        composed = cast(ProductSettings, settings["product"]).compose != "none"
        self._tell(planned, cast(TileSettings, settings["tile"]), composed)
        return planned

    def _tell(self, planned: Plan, tile: TileSettings, composed: bool) -> None:
        """Say what to expect, and whether the disks have room for it."""
        root, target = open_root(self.output_root), planned.orders["product"].target
        if root.has(target):
            log.info("%s/%s is done already", root.address, target)
            return
        deep = bool(planned.harmonize.cards)
        square_km = planned.scene.square_km
        expected = expect(square_km, tile, threads(), deep=deep, composed=composed)
        log.info("%s: %s", planned.scene.name, expected)
        work = Path(machine().work)
        needs = {work: expected.work}
        # what goes to an object store is made in the work root
        needs[root.disk or work] = needs.get(root.disk or work, 0.0) + expected.product
        for folder, needed in needs.items():
            if (free := free_mb(folder)) < needed:
                log.warning("%s: %.0f MB free, about %.0f MB needed", folder, free, needed)

    def run(self) -> None:
        """Nothing is left to do but to say where the product is."""
        target = f"{open_root(self.output_root).address}/{self.plan.orders['product'].target}"
        log.info("the product is %s, its report %s/report.html", target, target)

    def requires(self) -> MakeProduct:
        """The product that the plan leads to."""
        order = self.plan.orders["product"]
        return MakeProduct(name=order.name, recipe=order.recipe.digest, root=self.output_root)
