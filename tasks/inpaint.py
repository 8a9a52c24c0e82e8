"""MaskBank: outlines out of labelled data; GenerateInpaintedSamples: painted sample sets."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import luigi

from nndacss.identity import Order, drafted, load_order, recipe_path
from nndacss.settings import Settings
from nndacss.stage import DONE, stage_folder
from tasks._base import StageTask
from tasks._planned import PlannedTask
from tasks._store import StoreTask
from tasks.samples import MakeSamples

log = logging.getLogger("luigi-interface")


class MaskBank(StoreTask):
    """Harvest outlines and matched pairs into `<work>/mask_bank/<name>_<digest8>/mask_bank.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="bank", description="what to call the bank")
    config: str = luigi.Parameter(default="", description="TOML file with a [mask_bank] section")
    bank: str = luigi.Parameter(
        default="",
        significant=False,
        description="also put the bank here, for `train.paint.bank`; replaced if it is there",
    )
    stage = "mask_bank"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to harvest; SettingsError or DatasetError where it cannot be."""
        # numpy comes with the datasets: not at import time
        from nndacss.mask_bank.plan import mask_bank_order

        return mask_bank_order(settings, self.name)

    def complete(self) -> bool:
        """Whether the bank is made, and is where it was asked for."""
        copy = Path(self.bank)
        there = not self.bank or (
            self.store.exists() and copy.exists() and copy.samefile(self.store)
        )
        return self.output().exists() and there

    def run(self) -> None:
        """Run the stage if it is not done, put the bank in its place, and say where it is."""
        if not self.output().exists():
            super().run()
        if self.bank:
            with drafted(Path(self.bank)) as draft:
                _link(self.store, draft)
            log.info("the mask bank is %s", self.bank)


def _link(source: Path, place: Path) -> None:
    """The same file by another name; over disks a link to it."""
    try:
        os.link(source, place)
    except OSError:
        place.symlink_to(source.resolve())


class GenerateInpaintedSamples(PlannedTask):
    """Paint clouds, shadows and snow into samples, `<work>/inpaint/<name>_<digest8>/samples.h5`.

    Makes its samples and, unless `inpaint.paint.bank` names one, its mask bank first. The store is
    one as MakeSamples makes, with a note for each sample: ShowSamples shows it, masks are trained
    on it. Killed, it goes on behind the last part that was whole.
    """

    name: str = luigi.Parameter(default="inpainted", description="what to call the store")
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [samples], [mask_bank] and [inpaint]"
    )
    stage = "inpaint"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to paint, with what."""
        # numpy comes with the plans: not at import time
        from nndacss.inpaint.plan import painted_orders

        *before, order = painted_orders(settings, self.name)
        for needed in before:
            needed.save(self.work)
        return order

    def requires(self) -> list[StageTask]:
        """The samples, and the bank where it is made by a recipe."""
        kinds = {"samples": MakeSamples, "mask_bank": MaskBank}
        return [
            kinds[name](name=load_order(recipe_path(self.work, digest)).name, recipe=digest)
            for name, digest in self.order.recipe.inputs.items()
        ]

    @property
    def store(self) -> Path:
        """The store."""
        return stage_folder(self.work, self.order) / "samples.h5"

    def run(self) -> None:
        """Run the stage, and say where the samples are and what was not painted."""
        super().run()
        record = self.store.with_name(DONE)
        told = json.loads(record.read_text())["summary"]
        for reason, count in told["skipped"].items():
            log.warning("%d samples were not painted: %s", count, reason)
        log.info("the samples are %s", self.store)
