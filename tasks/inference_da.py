"""InferenceDA: a Proba-V product adapted to Landsat-8, with its cloud mask."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from nndacss.identity import Order, recipe_path
from tasks._base import FileTarget, machine, threads
from tasks._child import run_child
from tasks._console import Progress
from tasks._parameters import check_local

if TYPE_CHECKING:
    from nndacss.inference_da.plan import Wanted

log = logging.getLogger("luigi-interface")


class Adapted(FileTarget):
    """A file that says by which recipe it was made, and its STAC item where there is to be one."""

    def __init__(self, path: Path, item: Path | None, recipe: str) -> None:
        super().__init__(path)
        self._item, self._recipe = item, recipe

    def exists(self) -> bool:
        """Whether the work is done, from this product with these weights."""
        from nndacss.inference_da.plan import made_by, published_by

        if not made_by(self.path, self._recipe):
            return False
        return self._item is None or published_by(self._item, self._recipe)


class InferenceDA(luigi.Task):
    """Copy a Proba-V product with its bands as Landsat-8 would see them and a cloud mask.

    The mask is the dataset `CM_DAGANS`: probability of cloud, -1 where missing. Level 2A or 3,
    100 m, 333 m or 1 km, or what `ConvertPV` wrote. The product itself is not changed; an existing
    destination that was made otherwise is left alone, with an error.
    """

    pvimage: str = luigi.Parameter(description="Proba-V product, HDF5")
    image_dest: str = luigi.Parameter(description="HDF5 file to write")
    cloud_detection_weights: str = luigi.Parameter(
        default="", description="cloud network: card, name or Keras .hdf5; default: our own"
    )
    dagans_weights: str = luigi.Parameter(
        default="", description="generator: card, name or Keras .hdf5; default: our own"
    )
    published: str = luigi.Parameter(
        default="", description="folder with the published full.hdf5 and cloud_detection_l8.hdf5"
    )
    publish: str = luigi.Parameter(
        default="", description="folder for COGs, STAC item and quicklook; default: none are made"
    )
    device: str = luigi.ChoiceParameter(
        choices=["auto", "cpu", "cuda"],
        default="auto",
        significant=False,
        description="auto takes a CUDA card where there is one",
    )

    @property
    def wanted(self) -> Wanted:
        """Places and weights; what is named one by one goes before --published."""
        # h5py and numpy come with the plan: not at import time
        from nndacss.inference_da.plan import Wanted
        from nndacss.models import probav_card

        for place in (self.image_dest, self.publish):
            check_local(place)
        generator: str | Path = probav_card.DEFAULT_GENERATOR
        cloud: str | Path = probav_card.DEFAULT_CLOUD
        if self.published:
            generator, cloud = probav_card.published(Path(self.published))
        return Wanted(
            Path(self.pvimage),
            Path(self.image_dest),
            self.dagans_weights or generator,
            self.cloud_detection_weights or cloud,
            Path(self.publish) if self.publish else None,
            self.device,
        )

    @cached_property
    def order(self) -> Order:
        """From the product and the weights; its recipe is saved for the stage."""
        from nndacss.inference_da.plan import inference_order

        order = inference_order(self.wanted)
        order.save(Path(machine().work))
        return order

    def output(self) -> Adapted:
        """The destination, and the item."""
        return Adapted(Path(self.image_dest), self.wanted.item, self.order.recipe.digest)

    def run(self) -> None:
        """Run the stage in a child process, and say where the result is."""
        work, order = Path(machine().work), self.order
        order.save(work)
        with Progress(f"inference_da {order.name}") as bar:
            path = recipe_path(work, order.recipe.digest)
            run_child("inference_da", path, work, Path("products"), threads(), bar.update)
        log.info("the adapted product is %s", self.image_dest)
