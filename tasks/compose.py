"""MakeViews: labelled Landsat beside its harmonized image; ComposeSamples: samples made of both."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import luigi

from nndacss.identity import Order, load_order, recipe_path
from nndacss.settings import Settings
from nndacss.stage import stage_folder
from tasks._base import StageTask
from tasks._store import StoreTask

log = logging.getLogger("luigi-interface")


class MakeViews(StoreTask):
    """Bring labelled Landsat images to 10 m and harmonize them into `<work>/views/.../views.h5`.

    Given a config (people), or the digest of a recipe that is planned already (other tasks).
    """

    name: str = luigi.Parameter(default="views", description="what to call the store")
    config: str = luigi.Parameter(default="", description="TOML file with a [views] section")
    stage = "views"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to make; SettingsError, DatasetError or WeightsError where it cannot be."""
        # numpy comes with the datasets: not at import time
        from nndacss.views.plan import views_order

        return views_order(settings, self.name)


class ComposeSamples(StoreTask):
    """Compose views into training samples, `<work>/compose/<name>_<digest8>/samples.h5`.

    Makes its views first. The store is one as MakeSamples makes: ShowSamples shows it, masks are
    trained on it.
    """

    name: str = luigi.Parameter(
        default="", description="what to call the store; default: the method"
    )
    config: str = luigi.Parameter(
        default="", description="TOML file with the sections [views] and [compose]"
    )
    stage = "compose"

    def plan(self, settings: Mapping[str, Settings]) -> Order:
        """What to compose; SettingsError, DatasetError or WeightsError where it cannot be."""
        from nndacss.compose.plan import compose_order
        from nndacss.views.plan import views_order

        views = views_order(settings)
        views.save(self.work)
        return compose_order(views, settings, self.name)

    def requires(self) -> MakeViews:
        """The view store."""
        digest = self.order.recipe.inputs["views"]
        return MakeViews(name=load_order(recipe_path(self.work, digest)).name, recipe=digest)

    @property
    def store(self) -> Path:
        """The store."""
        return stage_folder(self.work, self.order) / "samples.h5"

    def run(self) -> None:
        """Run the stage, and say where the samples are."""
        StageTask.run(self)
        log.info("the samples are %s", self.store)
