"""MakePairs: Landsat and Sentinel-2 on the same pixels, in one store; ShowPairs: what is inside."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

import luigi

from nndacss.identity import Order
from nndacss.resources import config_file
from nndacss.settings import load_settings
from nndacss.stage import stage_folder
from tasks._base import FileTarget, StageTask
from tasks._child import ask_child
from tasks._parameters import SetParameter

log = logging.getLogger("luigi-interface")


class MakePairs(StageTask):
    """Make training pairs into `<work>/pairs/<name>_<digest8>/pairs.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="pairs", description="what to call the store")
    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(default="", description="TOML file with a [pairs] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    stage = "pairs"

    @property
    def order(self) -> Order:
        """As planned by another task, or from the config."""
        return super().order if self.recipe else self._planned

    @cached_property
    def _planned(self) -> Order:
        # numpy comes with the sources: not at import time
        from nndacss.pairs.plan import pairs_order

        config = config_file(self.config) if self.config else None
        order = pairs_order(load_settings(config, self.set), self.name)
        order.save(self.work)
        return order

    @property
    def store(self) -> Path:
        """The pair store."""
        return stage_folder(self.work, self.order) / "pairs.h5"

    def run(self) -> None:
        """Run the stage, and say where the store is."""
        super().run()
        log.info("the pairs are %s", self.store)


class ShowPairs(luigi.Task):
    """A page with pictures and figures of what a pair store holds."""

    config: str = luigi.Parameter(default="", description="TOML file with a [pairs] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    store: str = luigi.Parameter(default="", description="a pairs.h5, instead of a config")
    page: str = luigi.Parameter(
        default="", description="where to write the page; default: pairs.html beside the store"
    )

    @cached_property
    def made(self) -> MakePairs:
        """The task that makes the store of the config."""
        return MakePairs(config=self.config, set=self.set)

    @property
    def source(self) -> Path:
        """The store to show."""
        return Path(self.store) if self.store else self.made.store

    def requires(self) -> list[MakePairs]:
        """The store, where it is known by its config."""
        return [] if self.store else [self.made]

    def output(self) -> FileTarget:
        """The page."""
        page = Path(self.page) if self.page else self.source.with_name("pairs.html")
        return FileTarget(page)

    def run(self) -> None:
        """Draw the page in a child process."""
        page = self.output().path
        ask_child("nndacss.pairs.show", [str(self.source), str(page)])
        log.info("the page is %s", page)
