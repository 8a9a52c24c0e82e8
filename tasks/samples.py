"""MakeSamples: labelled images in, one sample store out; ShowSamples: what is inside."""

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


class MakeSamples(StageTask):
    """Cut windows from labelled images into `<work>/samples/<name>_<digest8>/samples.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="samples", description="what to call the store")
    recipe: str = luigi.Parameter(
        default="", description="digest of a recipe in <work>/recipes; default: from the config"
    )
    config: str = luigi.Parameter(default="", description="TOML file with a [samples] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    stage = "samples"

    @property
    def order(self) -> Order:
        """As planned by another task, or from the config."""
        return super().order if self.recipe else self._planned

    @cached_property
    def _planned(self) -> Order:
        # numpy comes with the datasets: not at import time
        from nndacss.samples.plan import samples_order

        config = config_file(self.config) if self.config else None
        order = samples_order(load_settings(config, self.set), self.name)
        order.save(self.work)
        return order

    @property
    def store(self) -> Path:
        """The sample store."""
        return stage_folder(self.work, self.order) / "samples.h5"

    def run(self) -> None:
        """Run the stage, and say where the store is."""
        super().run()
        log.info("the samples are %s", self.store)


class ShowSamples(luigi.Task):
    """A page with pictures and counts of what a sample store holds."""

    config: str = luigi.Parameter(default="", description="TOML file with a [samples] section")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    store: str = luigi.Parameter(default="", description="a samples.h5, instead of a config")
    page: str = luigi.Parameter(
        default="", description="where to write the page; default: samples.html beside the store"
    )

    @cached_property
    def made(self) -> MakeSamples:
        """The task that makes the store of the config."""
        return MakeSamples(config=self.config, set=self.set)

    @property
    def source(self) -> Path:
        """The store to show."""
        return Path(self.store) if self.store else self.made.store

    def requires(self) -> list[MakeSamples]:
        """The store, where it is known by its config."""
        return [] if self.store else [self.made]

    def output(self) -> FileTarget:
        """The page."""
        page = Path(self.page) if self.page else self.source.with_name("samples.html")
        return FileTarget(page)

    def run(self) -> None:
        """Draw the page in a child process."""
        page = self.output().path
        ask_child("nndacss.samples.show", [str(self.source), str(page)])
        log.info("the page is %s", page)
