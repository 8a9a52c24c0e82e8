"""TransferExperiment: clouds learnt on Landsat and told on Proba-V, with and without adaptation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from nndacss.identity import Order
from nndacss.resources import config_file
from nndacss.settings import load_settings
from nndacss.stage import stage_folder
from tasks._base import FileTarget, StageTask, machine
from tasks._parameters import SetParameter
from tasks.cyclegan import FitCycleGAN, MakeCycleGANDataset, TrainCloudNet

if TYPE_CHECKING:
    from nndacss.transfer.plan import Plan

log = logging.getLogger("luigi-interface")


class CompareTransfer(StageTask):
    """Run the transfer stage."""

    stage = "transfer"


class TransferExperiment(luigi.Task):
    """Make patches, train cloud networks and CycleGANs on some, compare them on others.

    The page is `<work>/transfer/<name>_<digest8>/report.html`; its place is told at the end.
    """

    name: str = luigi.Parameter(default="transfer", description="what to call the comparison")
    config: str = luigi.Parameter(
        default="probav.toml",
        description="TOML file with [domains], [cloudnet], [cyclegan] and [transfer]",
    )
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @property
    def work(self) -> Path:
        """Work root."""
        return Path(machine().work)

    @cached_property
    def planned(self) -> Plan:
        """What to make, with its recipes saved."""
        # numpy comes with the plans: not at import time
        from nndacss.transfer.plan import plan

        planned = plan(load_settings(config_file(self.config), self.set))
        for order in (planned.train, planned.test, *planned.clouds.values()):
            order.save(self.work)
        return planned

    def output(self) -> FileTarget:
        """A line that says where the page of this very comparison is."""
        from nndacss.identity import digest

        orders = (self.planned.test, *self.planned.clouds.values())
        settings = [section.changed() for section in self.planned.settings.values()]
        key = digest([[order.recipe.digest for order in orders], settings])[:8]
        return FileTarget(self.work / "transfer" / f"{self.name}_{key}.txt")

    def requires(self) -> list[MakeCycleGANDataset | TrainCloudNet]:
        """Patches to test on, and the cloud networks: their weights name the CycleGANs."""
        test = self.planned.test
        return [
            MakeCycleGANDataset(name=test.name, recipe=test.recipe.digest),
            *(
                TrainCloudNet(name=order.name, recipe=order.recipe.digest)
                for order in self.planned.clouds.values()
            ),
        ]

    def run(self) -> Iterator[list[luigi.Task] | luigi.Task]:
        """Train the CycleGANs, compare, and say where the page is."""
        from nndacss.transfer.plan import TRANSFORMED, gan_order, transfer_order

        judge = stage_folder(self.work, self.planned.clouds[TRANSFORMED]) / "weights.json"
        gans: dict[str, Order] = {
            name: gan_order(self.planned, name, judge) for name in self.planned.gans
        }
        order = transfer_order(self.planned, gans, self.name)
        for each in (*gans.values(), order):
            each.save(self.work)
        yield [FitCycleGAN(name=gan.name, recipe=gan.recipe.digest) for gan in gans.values()]
        yield CompareTransfer(name=self.name, recipe=order.recipe.digest)
        page = stage_folder(self.work, order) / "report.html"
        self.output().path.write_text(f"{page.resolve()}\n")
        log.info("the report is %s", page)
