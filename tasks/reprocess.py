"""ReprocessScenes and BatchReport: many scenes, day after day."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import luigi

from nndacss.acquire.source import Sources
from nndacss.errors import NndacssError, SettingsError, StageError, complain
from nndacss.identity import Order, digest
from nndacss.operations import failures
from nndacss.operations.batch import Batch, find_batch
from nndacss.operations.dates import period
from nndacss.operations.failures import Failure
from nndacss.operations.outcomes import outcomes, totals
from nndacss.operations.plans import Planned, Planner, limited
from nndacss.operations.room import check_room
from nndacss.operations.roots import open_root
from nndacss.operations.scenes import Listed, list_scenes, write_scenes
from nndacss.settings import Settings
from tasks._batch import Runner, threads_each, workers
from tasks._board import Board, expected, show_outcomes, show_plan
from tasks._child import ask_child
from tasks._errand import Errand
from tasks._log import tell
from tasks._parameters import SetParameter
from tasks._settings import scene_settings
from tasks.search import SearchScenes

log = logging.getLogger("luigi-interface")

#: Luigi's time per request grows with its queue: more scenes are not given to it at once.
CHUNK = 500


class ReprocessScenes(Errand):
    """Adapt all scenes of a list that are new, failed before, or were made otherwise.

    The list is a folder of products, a scenes.json, or a text file with a path a line; or what the
    archive of `[search]` holds now. Each scene is planned; those whose product is there are
    skipped, the others are worked off in runs of at most 500. One that fails leaves a record with
    the reason and stops no other; the next run tries it again. Exit code 0 when all scenes have
    their product, 30 when some have not.
    """

    scenes: str = luigi.Parameter(
        default="",
        description="folder of products, scenes.json, or text file with a path a line; "
        "default: searched for, by [search], --area or --bbox, and --dates",
    )
    area: str = luigi.Parameter(
        default="", description="GeoJSON file; the products cover its bounding box"
    )
    bbox: str = luigi.Parameter(
        default="", description="west,south,east,north in degrees (write --bbox=-5,...)"
    )
    dates: str = luigi.Parameter(
        default="",
        description="only scenes of these days: 2026-04-15, 2026-04, 2026-W16, "
        "2026-04-01/2026-04-15, or 7d (the last seven days)",
    )
    config: str = luigi.Parameter(default="", description="TOML file with settings")
    set: tuple[str, ...] = SetParameter(
        default=(), description="section.key=value, over the file; may be repeated"
    )
    output_root: str = luigi.Parameter(
        default="products", description="product root: a folder, or s3://bucket/prefix"
    )
    limit: int = luigi.IntParameter(
        default=0, description="make at most so many, leave the rest; 0 means all"
    )
    dry_run: bool = luigi.BoolParameter(
        default=False, description="only say what would be done; writes nothing"
    )
    discard_work: bool = luigi.BoolParameter(
        default=False, description="remove a scene's parts as soon as its product is whole"
    )
    chunk: int = luigi.IntParameter(
        default=CHUNK, significant=False, description="scenes that luigi is given at once"
    )

    @cached_property
    def batch(self) -> Batch:
        """The record of this run."""
        return Batch(self.work / "batches" / self.run_id)

    @cached_property
    def settings(self) -> Mapping[str, Settings]:
        """All sections."""
        return scene_settings(self.config, self.set, self.area, self.bbox)

    @cached_property
    def settings_digest(self) -> str:
        """Tells these settings from others."""
        return digest({name: section.changed() for name, section in self.settings.items()})

    @cached_property
    def search(self) -> SearchScenes | None:
        """The search, as of now, that gives the list; None where one is given."""
        if self.scenes:
            return None
        now = datetime.now(UTC)
        dates = str(period(self.dates, now.date())) if self.dates else ""
        return SearchScenes(
            name=self.run_id,
            as_of=now.isoformat(timespec="seconds"),
            area=self.area,
            bbox=self.bbox,
            dates=dates,
            config=self.config,
            set=self.set,
        )

    def requires(self) -> list[SearchScenes]:
        """The list, where it is searched for; a search that fails is told by BatchReport, too."""
        if self.search is None:
            return []
        if not self.dry_run:
            self._begin()
            on: Any = SearchScenes.event_handler
            on(luigi.Event.FAILURE)(self._not_found)
        return [self.search]

    def _not_found(self, _: luigi.Task, error: BaseException) -> None:
        self.batch.end({"error": str(error)})

    def carry_out(self) -> None:
        """Plan, say what is to be done, do it, and say what became of it."""
        if not 1 <= self.chunk <= CHUNK:
            found = complain("--chunk", str(self.chunk), f"1 to {CHUNK}", "correct it")
            raise SettingsError(found)
        if self.dry_run:
            planned, _ = self._planned(self._listed())
            show_plan(planned)
            log.info("%s; nothing was written", expected(planned, workers()))
            return
        with self.batch.held():
            self._begin()
            try:
                self._carry_out()
            except NndacssError as error:
                if not self.batch.ended.exists():  # not for scenes that failed: as a whole
                    self.batch.end({"error": str(error)})
                raise

    def _begin(self) -> None:
        if self.batch.read("begun.json") is None:
            self.batch.begin(
                {
                    "scenes": self.scenes or "a search",
                    "output_root": open_root(self.output_root).address,
                    "config": self.config,
                    "set": list(self.set),
                    "area": self.area or self.bbox,
                    "dates": self.dates,
                    "limit": self.limit,
                    "workers": workers(),
                    "threads": threads_each(),
                }
            )

    def _carry_out(self) -> None:
        started = time.monotonic()
        listed = self._listed()
        write_scenes(listed, self.batch.folder / "scenes.json")
        planned, orders = self._planned(listed)
        self._note_unplanned(planned)
        self.batch.save_plan(planned)
        todo = [scene for scene in planned if scene.state == "todo"]
        self._announce(planned, todo)
        for scene in todo:
            for order in orders[scene.target].values():
                order.save(self.work)
        self._work_off(todo)
        self._conclude(time.monotonic() - started)

    def _listed(self) -> list[Listed]:
        return list_scenes(Path(self.scenes) if self.search is None else self.search.scenes)

    def _planned(
        self, listed: list[Listed]
    ) -> tuple[list[Planned], dict[str, Mapping[str, Order]]]:
        today = datetime.now(UTC).date()
        days = period(self.dates, today) if self.dates and self.search is None else None
        sources = Sources(self.work / "scenes", self.settings)
        root = open_root(self.output_root)
        planner = Planner(self.settings, sources, root, threads_each(), days)
        found = list(planner.plan_all(listed))
        planned = limited([scene for scene, _ in found], self.limit)
        return planned, {scene.target: orders for scene, orders in found if orders}

    def _note_unplanned(self, planned: list[Planned]) -> None:
        """Records of the scenes that cannot be planned."""
        for scene in planned:
            if scene.state == "failed":
                where = (scene.target, scene.id, scene.digest, "plan", scene.reason, scene.place)
                failures.keep(self.work, Failure(*where, self.settings_digest, self.batch.id))
                about = {"scene": scene.id, "product": scene.target, "stage": "plan"}
                tell("scene_failed", scene.reason, logging.ERROR, **about)

    def _announce(self, planned: list[Planned], todo: list[Planned]) -> None:
        log.info(
            "batch %s: %d scenes in %s", self.batch.id, len(planned), self.scenes or "the archive"
        )
        log.info("%s", expected(planned, workers()))
        for loss in sorted({scene.reason for scene in todo if scene.reason})[:5]:
            log.warning("%s", loss)
        disk = open_root(self.output_root).disk
        for warning in check_room(todo, self.work, disk, workers(), discard=self.discard_work):
            log.warning("%s", warning)
        tell(
            "batch_started", self.batch.id, batch=self.batch.id, scenes=len(planned), todo=len(todo)
        )

    def _work_off(self, todo: list[Planned]) -> None:
        with Board(len(todo), self._report) as board:
            how = (self.discard_work, board, self.settings_digest)
            runner = Runner(self.batch, self.work, self.output_root, *how)
            try:
                runner.run(todo, self.chunk)
            except KeyboardInterrupt:
                open_root(self.output_root).refresh()
                board.say("stopped by hand; the same command goes on")

    def _report(self, share: float, message: str) -> None:
        """Progress, for the central scheduler's page."""
        if self.set_progress_percentage and self.set_status_message:
            self.set_progress_percentage(round(100 * share))
            self.set_status_message(message)

    def _conclude(self, seconds: float) -> None:
        found = outcomes(self.batch, self.work)
        whole = {one.planned.place for one in found if one.item and one.state != "failed"}
        failures.settle(self.work, whole, self.settings_digest)
        counts = totals(found)
        show_outcomes(found, seconds)
        self.batch.end({"elapsed": round(seconds, 1), **counts})
        about = {key: counts[key] for key in ("scenes", "done", "skipped", "failed", "unfinished")}
        tell("batch_ended", self.batch.id, batch=self.batch.id, elapsed=round(seconds, 1), **about)
        wrong = counts["failed"] + counts["unfinished"]
        if wrong:
            raise StageError(
                f"{wrong} of {counts['scenes']} scenes have no product; the others are done; "
                f"failed ones are tried again by the same command (batch {self.batch.id})"
            )


class BatchReport(Errand):
    """Report what became of a batch, from products and failure records.

    Writes `<report root>/<batch>.html`, `.csv` and `.json`, and the same as `latest.*`. Exit code
    30 when a scene failed, or the run was cut off, or was too long ago.
    """

    batch: str = luigi.Parameter(default="", description="name of a batch; default: the latest")
    report_root: str = luigi.Parameter(default="reports", description="where the reports go")
    metrics: str = luigi.Parameter(
        default="", description="file for Prometheus' textfile collector, e.g. DIR/nndacss.prom"
    )
    max_age: float = luigi.FloatParameter(
        default=0.0, description="hours; fail when the batch began before that; 0: do not ask"
    )

    def carry_out(self) -> None:
        """Write the report in a child process; fail where something failed."""
        batch = find_batch(self.work, self.batch)
        options = [str(batch.folder), "--work", str(self.work), "--to", self.report_root]
        if self.metrics:
            options += ["--metrics", self.metrics]
        told = json.loads(ask_child("nndacss.operations.report", options))
        if told["scenes"]:
            show_outcomes(outcomes(batch, self.work), told["elapsed"])
        log.info("the report is %s", Path(self.report_root) / f"{batch.id}.html")
        if told["running"]:
            log.info("the run goes on: what is not finished yet is no failure")
        wrong = told["failed"] + told["unfinished"] * (not told["running"])
        if told["error"]:
            raise StageError(f"batch {batch.id}: {told['error']}")
        if wrong:
            raise StageError(
                f"batch {batch.id}: {wrong} of {told['scenes']} scenes have no product"
            )
        hours = told["age"] / 3600
        if self.max_age and hours > self.max_age:
            expected_ = f"one of the last {self.max_age:g} hours"
            remedy = "see why ReprocessScenes was not run"
            found = f"a batch of {hours:.0f} hours ago"
            raise StageError(complain(batch.id, found, expected_, remedy))
