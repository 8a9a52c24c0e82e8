"""AdaptScene: a Landsat or Sentinel-2 scene in, a 10 m product with its mask out."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import cast

import luigi

from nndacss.acquire.source import Sources
from nndacss.chain import STAGES, Plan, plan
from nndacss.estimate import expect, free_mb
from nndacss.product.settings import ProductSettings
from nndacss.resources import config_file
from nndacss.settings import load_settings
from nndacss.tile.area import area_bbox
from nndacss.tile.settings import TileSettings
from tasks._base import machine, threads
from tasks._child import ask_child
from tasks._parameters import SetParameter
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
    output_root: str = luigi.Parameter(default="products", description="product root")
    config: str = luigi.Parameter(default="", description="TOML file with settings")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def plan(self) -> Plan:
        """Everything decided, its recipes written to the work root."""
        overrides = [*self.set, *self._area()]
        config = config_file(self.config) if self.config else None
        settings = load_settings(config, overrides)
        grid = cast(TileSettings, settings["tile"]).grid
        if grid.startswith("like:"):
            box = ask_child("nndacss.tile", [grid.removeprefix("like:")])
            overrides.append(f"tile.grid={box}")
            settings = load_settings(config, overrides)
        sources = Sources(Path(machine().work) / "scenes", settings)
        l1 = sources.of(self.l1) if self.l1 else None
        planned = plan(sources.of(self.scene), l1, settings)
        for loss in planned.losses:
            log.warning("%s", loss)
        for stage in STAGES:
            planned.orders[stage].save(Path(machine().work))
        composed = cast(ProductSettings, settings["product"]).compose != "none"
        self._tell(planned, cast(TileSettings, settings["tile"]), composed)
        return planned

    def _tell(self, planned: Plan, tile: TileSettings, composed: bool) -> None:
        """Say what to expect, and whether the disks have room for it."""
        target = Path(self.output_root) / planned.orders["product"].target
        if (target / "item.json").exists():
            log.info("%s is done already", target)
            return
        deep = bool(planned.harmonize.cards)
        square_km = planned.scene.square_km
        expected = expect(square_km, tile, threads(), deep=deep, composed=composed)
        log.info("%s: %s", planned.scene.name, expected)
        needs = ((Path(machine().work), expected.work), (target, expected.product))
        for folder, needed in needs:
            if (free := free_mb(folder)) < needed:
                log.warning("%s: %.0f MB free, about %.0f MB needed", folder, free, needed)

    def _area(self) -> list[str]:
        if not (self.area or self.bbox):
            return []
        west, south, east, north = area_bbox(self.area, self.bbox)
        return [f"tile.bbox=[{west!r}, {south!r}, {east!r}, {north!r}]"]

    def run(self) -> None:
        """Nothing is left to do but to say where the product is."""
        target = Path(self.output_root) / self.plan.orders["product"].target
        log.info("the product is %s, its report %s", target, target / "report.html")

    def requires(self) -> MakeProduct:
        """The product that the plan leads to."""
        order = self.plan.orders["product"]
        return MakeProduct(name=order.name, recipe=order.recipe.digest, root=self.output_root)
