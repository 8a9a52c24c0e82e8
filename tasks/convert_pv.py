"""ConvertPV: a Landsat-8 scene as Proba-V would see it, in Proba-V's HDF5 layout."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

import luigi

from nndacss.identity import Order
from nndacss.resources import config_file
from nndacss.settings import load_settings
from tasks._base import FileTarget, StageTask, machine
from tasks._parameters import SetParameter, check_local

log = logging.getLogger("luigi-interface")


class Converted(FileTarget):
    """A product with a card beside it that says by which recipe it was made."""

    def __init__(self, folder: Path, order: Order) -> None:
        # numpy comes with the plan: not at import time
        from nndacss.convert_pv.plan import place_of

        self._place = place_of(folder, order)
        self._digest = order.recipe.digest
        super().__init__(self._place.product)

    def exists(self) -> bool:
        """Whether the work is done, with these settings and inputs."""
        return self._place.holds(self._digest)


class ConvertScene(StageTask):
    """Run the convert_pv stage on a scene."""

    stage = "convert_pv"
    root: str = luigi.Parameter(description="where products go")

    @property
    def product_root(self) -> Path:
        """Where products go."""
        return Path(self.root)

    def output(self) -> Converted:
        """`<root>/<scene>/<scene>_<resolution>.HDF5` and its card."""
        return Converted(self.product_root, self.order)


class ConvertPV(luigi.WrapperTask):
    """Convert one Landsat-8 Level-1 scene into `<outfolder>/<scene>/<scene>_<resolution>.HDF5`.

    Pre-collection, Collection 1 or 2; a folder, `.tar` or `.tar.gz`. With `biome` or `38c` the
    labels that lie in the scene's folder are carried along as cloud cover. Section `[convert_pv]`
    holds the switches back to the published program.
    """

    l8img: str = luigi.Parameter(description="Landsat-8 Level-1 folder, .tar or .tar.gz")
    type_product: str = luigi.Parameter(
        default="", description="landsat8, biome or 38c: labels; default: the config's, landsat8"
    )
    resolution: str = luigi.Parameter(
        default="", description="333M, 100M or 1KM; default: the config's, 333M"
    )
    outfolder: str = luigi.Parameter(default="landsataspv", description="where products go")
    config: str = luigi.Parameter(default="", description="TOML file with a [convert_pv] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def order(self) -> Order:
        """From the scene and the settings; its recipe is saved for the stage."""
        from nndacss.convert_pv.plan import convert_order

        given = {"type_product": self.type_product, "resolution": self.resolution}
        own = [f"convert_pv.{key}={value}" for key, value in given.items() if value]
        config = config_file(self.config) if self.config else None
        check_local(self.outfolder)
        order = convert_order(Path(self.l8img), load_settings(config, [*self.set, *own]))
        order.save(Path(machine().work))
        return order

    def requires(self) -> ConvertScene:
        """The conversion that the scene and the settings lead to."""
        order = self.order
        return ConvertScene(name=order.name, recipe=order.recipe.digest, root=self.outfolder)

    def run(self) -> None:
        """Nothing is left to do but to say where the product is."""
        log.info("the product is %s", Converted(Path(self.outfolder), self.order).path)
