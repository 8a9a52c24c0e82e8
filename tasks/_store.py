"""What the tasks that make a store, and those that show one, share."""

from __future__ import annotations

import logging
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import luigi

from nndacss.stage import stage_folder
from tasks._base import FileTarget
from tasks._child import ask_child
from tasks._parameters import SetParameter
from tasks._planned import PlannedTask

log = logging.getLogger("luigi-interface")


class StoreTask(PlannedTask):
    """Make a store, `<work>/<stage>/<name>_<digest8>/<stage>.h5`."""

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
