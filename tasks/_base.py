"""What the tasks of a scene share: machine settings, targets, and how a stage is run."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, ClassVar

import luigi

from nndacss.errors import NndacssError
from nndacss.identity import Order, load_order, recipe_path
from nndacss.operations.roots import Root
from nndacss.stage import DONE, run_record, stage_folder
from tasks._child import Report, run_child
from tasks._console import Progress
from tasks._log import attach, tell


class machine(luigi.Config):  # noqa: N801 - luigi names the section after the class
    """`[machine]` in `luigi.cfg`: where and with how much to work. Renames no output."""

    work: str = luigi.Parameter(
        default="work", description="work root: parts and recipes, safe to delete between runs"
    )
    threads: int = luigi.IntParameter(
        default=0, description="threads of a stage; 0 means all cores"
    )
    dask: str = luigi.Parameter(
        default="",
        description="Dask scheduler (tcp://HOST:8786) whose workers make the parts of scenes",
    )
    log_json: str = luigi.Parameter(
        default="",
        description="file that gets a JSON line for each event; - is stdout",
    )


def threads() -> int:
    """Threads of a stage on this machine."""
    return machine().threads or os.cpu_count() or 1


class FileTarget(luigi.Target):
    """A file that is written last, so that its presence means all is there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether the work is done."""
        return self.path.exists()


class ProductTarget(FileTarget):
    """A file of a product root, on a disk or in an object store."""

    def __init__(self, root: Root, name: str, marker: str) -> None:
        super().__init__((root.disk or Path(root.address)) / name / marker)
        self._asked = root, name, marker

    def exists(self) -> bool:
        """Whether the product is whole; an object store is listed once a process."""
        root, name, marker = self._asked
        return root.has(name, marker)


class StageTask(luigi.Task):
    """One stage of one scene, known by the digest of its recipe.

    The recipe lies in `<work>/recipes`, so that any host with the same work root can rebuild
    the task from its digest alone.
    """

    name: str = luigi.Parameter(description="scene or model, for people to read")
    recipe: str = luigi.Parameter(description="digest of a recipe in <work>/recipes")
    stage: ClassVar[str]

    @property
    def work(self) -> Path:
        """Work root."""
        return Path(machine().work)

    @property
    def order(self) -> Order:
        """The recipe with its name and places."""
        return load_order(recipe_path(self.work, self.recipe))

    @property
    def product_root(self) -> Path:
        """Where the stage writes products; only the product stage has one."""
        return Path("products")

    def output(self) -> FileTarget:
        """`<work>/<stage>/<scene>_<digest8>/stage.json`."""
        return FileTarget(stage_folder(self.work, self.order) / DONE)

    def run(self) -> None:
        """Run the stage in a child process and relay its progress."""
        attach(machine().log_json)
        about = {"scene": self.name, "stage": self.stage, "digest": self.order.recipe.digest}
        tell("stage_started", f"{self.stage} of {self.name}", **about)
        try:
            self._run(about)
        except NndacssError as error:
            tell("stage_failed", str(error), logging.ERROR, **about)
            raise
        tell("stage_done", f"{self.stage} of {self.name}", **about, **self._costs())

    def _costs(self) -> dict[str, Any]:
        """What the stage took."""
        record = run_record(self.work, self.order.recipe.digest)
        if not record.exists():
            return {}
        took = json.loads(record.read_text())
        return {key: took[key] for key in ("seconds", "peak_mib", "threads")}

    def _run(self, about: dict[str, Any]) -> None:
        with Progress(f"{self.stage} {self.name}", **about) as bar:

            def report(fraction: float, message: str) -> None:
                bar.update(fraction, message)
                if self.set_progress_percentage and self.set_status_message:
                    self.set_progress_percentage(round(100 * fraction))
                    self.set_status_message(message)

            self.make(report)

    def make(self, report: Report) -> None:
        """What is to be done, telling how far it is."""
        path = recipe_path(self.work, self.order.recipe.digest)
        dask = machine().dask
        run_child(self.stage, path, self.work, self.product_root, threads(), report, dask)
