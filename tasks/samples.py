"""MakeSamples: labelled images in, one sample store out; ShowSamples: what is inside."""

from __future__ import annotations

from collections.abc import Mapping

import luigi

from nndacss.identity import Order
from nndacss.settings import Settings
from tasks._store import ShowTask, StoreTask


class MakeSamples(StoreTask):
    """Cut windows from labelled images into `<work>/samples/<name>_<digest8>/samples.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="samples", description="what to call the store")
    config: str = luigi.Parameter(default="", description="TOML file with a [samples] section")
    stage = "samples"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make; SettingsError or DatasetError where it cannot be."""
        # numpy comes with the datasets: not at import time
        from nndacss.samples.plan import samples_order

        return samples_order(settings, self.name)


class ShowSamples(ShowTask):
    """A page with pictures and counts of what a sample store holds."""

    config: str = luigi.Parameter(default="", description="TOML file with a [samples] section")
    store: str = luigi.Parameter(default="", description="a samples.h5, instead of a config")
    page: str = luigi.Parameter(
        default="", description="where to write the page; default: samples.html beside the store"
    )
    stage = "samples"

    @property
    def made(self) -> MakeSamples:
        """The task that makes the store of the config."""
        return MakeSamples(config=self.config, set=self.set)
