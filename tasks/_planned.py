"""Stages that people ask for by a config, and other tasks by the digest of a recipe."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import luigi

from nndacss.identity import Order
from nndacss.resources import config_file
from nndacss.settings import Settings, load_settings
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks._parameters import SetParameter

log = logging.getLogger("luigi-interface")


class PlannedTask(StageTask):
    """A subclass gives `name` a default, and says how to plan."""

    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(default="", description="TOML file with the section of the stage")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @abstractmethod
    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make. What it is made of is planned, too, and saved to the work root."""

    @property
    def order(self) -> Order:
        """As planned by another task, or from the config."""
        return super().order if self.recipe else self._planned

    @cached_property
    def _planned(self) -> Order:
        config = config_file(self.config) if self.config else None
        order = self.plan(load_settings(config, self.set))
        order.save(self.work)
        return order


class FitTask(PlannedTask):
    """Fit a network into `<work>/<stage>/<name>_<digest8>/weights.{safetensors,json}`.

    Killed, it goes on from its last epoch.
    """

    @property
    def card(self) -> Path:
        """The weights' card."""
        return stage_folder(self.work, self.order) / "weights.json"

    def run(self) -> None:
        """Run the stage, and say where the weights are."""
        super().run()
        log.info("the weights are %s", self.card)
