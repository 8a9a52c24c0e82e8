"""Experiment: variants x seeds x folds from one config, summed up in one report."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

from nndacss.identity import load_order, recipe_path
from nndacss.resources import config_file
from nndacss.stage import stage_folder
from tasks._base import FileTarget, StageTask, machine
from tasks._child import ask_child
from tasks._parameters import SetParameter, check_local
from tasks.evaluate import EvaluateModel

if TYPE_CHECKING:
    from nndacss.experiment.plan import ExperimentPlan

log = logging.getLogger("luigi-interface")


class ReportExperiment(StageTask):
    """Tables and pictures of all runs, in `<root>/<experiment>_<digest8>/`."""

    stage = "experiment"
    root: str = luigi.Parameter(description="product root")

    @property
    def product_root(self) -> Path:
        """Where reports go."""
        return Path(self.root)

    def requires(self) -> list[EvaluateModel]:
        """Every run, scored."""
        return [
            EvaluateModel(name=load_order(recipe_path(self.work, digest)).name, recipe=digest)
            for digest in self.order.recipe.inputs.values()
        ]

    def output(self) -> FileTarget:
        """`result.json`, written last."""
        return FileTarget(self.product_root / self.order.target / "result.json")


class ReportSoFar(StageTask):
    """A report of what is done when one more run is, in the work folder.

    Where a run fails the whole report cannot be made; the others' results are here all the same.
    """

    stage = "experiment"
    run_digest: str = luigi.Parameter(description="digest of the run that it waits for")

    def requires(self) -> EvaluateModel:
        """One run, scored."""
        run = load_order(recipe_path(self.work, self.run_digest))
        return EvaluateModel(name=run.name, recipe=self.run_digest)

    @property
    def folder(self) -> Path:
        """Where the report so far is."""
        return stage_folder(self.work, self.order)

    def output(self) -> FileTarget:
        """A note that this run was in a report."""
        return FileTarget(self.folder / "told" / self.run_digest[:8])

    def run(self) -> None:
        """Write the report of all runs that are done."""
        path = recipe_path(self.work, self.recipe)
        ask_child("nndacss.experiment.so_far", [str(path), str(self.work), self.run_digest])
        log.info("results so far: %s", self.folder / "report.html")


class Experiment(luigi.WrapperTask):
    """Everything that a config's `[experiment]` asks for; what is finished is not done again.

    Variants share the stages that they have in common. A run that fails spoils no other: the
    rest is scored, and a report of it lies in the work folder.
    """

    config: str = luigi.Parameter(description="TOML file with an [experiment] section")
    output_root: str = luigi.Parameter(default="products", description="where the report goes")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )

    @cached_property
    def plan(self) -> ExperimentPlan:
        """Everything decided and checked, its recipes written to the work root."""
        # numpy comes with the datasets: not at import time
        from nndacss.experiment.plan import plan_experiment

        check_local(self.output_root)
        planned = plan_experiment(config_file(self.config), self.set)
        for loss in planned.losses:
            log.warning("%s", loss)
        planned.save(Path(machine().work))
        log.info("%s: %d runs", planned.summary.target, len(planned.runs))
        return planned

    def requires(self) -> list[StageTask]:
        """The report, and while it is not there the reports on the way to it."""
        order = self.plan.summary
        digest = order.recipe.digest
        report = ReportExperiment(name=order.name, recipe=digest, root=self.output_root)
        if report.output().exists() or len(self.plan.runs) == 1:
            return [report]
        so_far: list[StageTask] = [
            ReportSoFar(name=order.name, recipe=digest, run_digest=run)
            for run in order.recipe.inputs.values()
        ]
        return [report, *so_far]

    def run(self) -> None:
        """Nothing is left to do but to say where the report is."""
        target = Path(self.output_root) / self.plan.summary.target
        log.info("the report is %s", target / "report.html")
