"""MakePairs: Landsat and Sentinel-2 on the same pixels, in one store; ShowPairs: what is inside."""

from __future__ import annotations

from collections.abc import Mapping

import luigi

from nndacss.identity import Order
from nndacss.settings import Settings
from tasks._store import ShowTask, StoreTask


class MakePairs(StoreTask):
    """Make training pairs into `<work>/pairs/<name>_<digest8>/pairs.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="pairs", description="what to call the store")
    config: str = luigi.Parameter(default="", description="TOML file with a [pairs] section")
    stage = "pairs"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make; SettingsError or DatasetError where it cannot be."""
        # numpy comes with the sources: not at import time
        from nndacss.pairs.plan import pairs_order

        return pairs_order(settings, self.name)


class ShowPairs(ShowTask):
    """A page with pictures and figures of what a pair store holds."""

    config: str = luigi.Parameter(default="", description="TOML file with a [pairs] section")
    store: str = luigi.Parameter(default="", description="a pairs.h5, instead of a config")
    page: str = luigi.Parameter(
        default="", description="where to write the page; default: pairs.html beside the store"
    )
    stage = "pairs"

    @property
    def made(self) -> MakePairs:
        """The task that makes the store of the config."""
        return MakePairs(config=self.config, set=self.set)
