"""What the tasks that make a store, and those that show one, share."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import luigi

from nndacss.identity import Order
from nndacss.resources import config_file
from nndacss.settings import Settings, load_settings
from nndacss.stage import stage_folder
from tasks._base import FileTarget, StageTask
from tasks._child import ask_child
from tasks._parameters import SetParameter

log = logging.getLogger("luigi-interface")


class StoreTask(StageTask):
    """Make a store, `<work>/<stage>/<name>_<digest8>/<stage>.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks). A
    subclass gives `name` a default and says how to plan.
    """

    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(default="", description="TOML file with the section of the stage")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @abstractmethod
    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make."""

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

    @property
    def store(self) -> Path:
        """The store."""
        return stage_folder(self.work, self.order) / f"{self.stage}.h5"

    def run(self) -> None:
        """Run the stage, and say where the store is."""
        super().run()
        log.info("the %s are %s", self.stage, self.store)


class ShowTask(luigi.Task):
    """A page that shows what a store holds, by `nndacss.<stage>.show`."""

    config: str = luigi.Parameter(default="", description="TOML file with the section of the stage")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    store: str = luigi.Parameter(default="", description="a store, instead of a config")
    page: str = luigi.Parameter(
        default="", description="where to write the page; default: beside the store"
    )
    stage: ClassVar[str]

    @property
    @abstractmethod
    def made(self) -> StoreTask:
        """The task that makes the store of the config."""

    @property
    def source(self) -> Path:
        """The store to show."""
        return Path(self.store) if self.store else self.made.store

    def requires(self) -> list[StoreTask]:
        """The store, where it is known by its config."""
        return [] if self.store else [self.made]

    def output(self) -> FileTarget:
        """The page."""
        page = Path(self.page) if self.page else self.source.with_name(f"{self.stage}.html")
        return FileTarget(page)

    def run(self) -> None:
        """Draw the page in a child process."""
        page = self.output().path
        ask_child(f"nndacss.{self.stage}.show", [str(self.source), str(page)])
        log.info("the page is %s", page)
